import { LoopaiError } from '../domain/errors.ts'
import { needOf } from '../domain/history.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { readHistory } from '../store/history.ts'
import { tombstoneOf } from '../store/tombstone.ts'
import { resolveVersion, verifyVersion } from '../store/versions.ts'
import { tell } from './entry.ts'
import { openNamedVersion } from './mark.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Removed {
  loop_app_id: string
  version: number
  digest: string
  files: number
  changed: boolean
  commit: string | null
}

/** Takes the files of a version away. Its manifest stays as a tombstone, so that the number is not used again and the digest can be told. */
export async function remove(workspace: Workspace, address: string): Promise<Removed> {
  const { data, app, version: selector } = await openNamedVersion(workspace, address, 'remove')
  return write(workspace, data, async transaction => {
    const version = await resolveVersion(app, selector)
    const { number, manifest } = version
    const result = {
      loop_app_id: app.id,
      version: number,
      digest: manifest.digest,
      files: manifest.files.length,
    }
    if (manifest.removed) return { ...result, changed: false, commit: null }
    await refuseNeeded(app, version)
    const name = { number, digest: manifest.digest }
    const { entry, history, trailers } = await tell(workspace, transaction, app, { op: 'remove', to: name })
    const { files, removed } = tombstoneOf(app, version, { at: entry.at, by: entry.by, reason: entry.reason })
    const commit = await transaction.commit({
      subject: `${app.id}: remove v${number}`,
      trailers,
      files: [...files, history],
      removed,
    })
    return { ...result, changed: true, commit }
  })
}

/** For who is about to ask whether it should be: refuses what `remove` would. */
export async function checkRemovable(workspace: Workspace, address: string): Promise<void> {
  const { app, version: selector } = await openNamedVersion(workspace, address, 'remove')
  const version = await resolveVersion(app, selector)
  if (!version.manifest.removed) await refuseNeeded(app, version)
}

async function refuseNeeded(app: LoopApp, version: Version): Promise<void> {
  await verifyVersion(app, version)
  const need = needOf(version.number, await findActive(app), await readHistory(app))
  if (!need) return
  throw new LoopaiError('CONFLICT', `v${version.number} of ${app.id} cannot be removed: ${need}`, {
    hint: `keep it, or promote another version first; to be rid of the app: loopai archive ${app.id}`,
  })
}
