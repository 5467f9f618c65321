import { groupChanges } from '../domain/changed-apps.ts'
import { findActive } from '../store/active.ts'
import { listApps, readApp } from '../store/apps.ts'
import { readBase } from '../store/base.ts'
import { isUsable } from '../store/folders.ts'
import { openRepository } from '../store/git.ts'
import { openDataDirectory } from '../store/root.ts'
import { listVersions } from '../store/versions.ts'
import type { GateOptions } from './gate.ts'
import { type Tested, test } from './test.ts'
import type { Workspace } from './workspace.ts'

/**
 * Tests what has changed since a commit: versions that are new, and the active one (else the latest) of apps whose cases, examples, settings
 * or active version are others now. What was removed is not there to be tested.
 */
export async function testChanged(
  workspace: Workspace,
  ref: string,
  options: GateOptions = {},
): Promise<Tested[]> {
  const data = await openDataDirectory(workspace)
  const known = await listApps(data)
  const { changes } = await readBase(await openRepository(data.root), ref)
  const changed = groupChanges(changes.map(({ path }) => path))
  const tested: Tested[] = []
  for (const { loop_app_id: id, versions, judgedAnew } of changed.filter(app =>
    known.includes(app.loop_app_id),
  )) {
    const app = await readApp(data, id)
    const present = (await listVersions(app)).filter(number => isUsable(app, number))
    const served = judgedAnew ? [(await findActive(app)) ?? present.at(-1)] : []
    for (const number of new Set([...versions, ...served])) {
      if (number === undefined || !present.includes(number)) continue
      workspace.progress({ stage: `testing ${id} v${number}`, done: 0, total: 1 })
      tested.push(await test(workspace, `${id}@v${number}`, options))
    }
  }
  return tested
}
