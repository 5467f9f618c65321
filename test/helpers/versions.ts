import { registerCandidate } from '../../src/actions/candidate.ts'
import { create } from '../../src/actions/create.ts'
import { flip } from '../../src/actions/flip.ts'
import { init } from '../../src/actions/init.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { createWorkspace, type Workspace } from '../../src/actions/workspace.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { digestOf } from '../../src/domain/version.ts'
import { findActive } from '../../src/store/active.ts'
import { identifyVersion, readVersion, stageVersion } from '../../src/store/versions.ts'

/** Registers a program that always answers `text` as a version, without running anything. Returns its number. */
export async function addVersion(workspace: Workspace, id: string, text: string): Promise<number> {
  const opened = await openApp(workspace, id)
  const staged = await stageVersion(opened.app, [
    { path: 'program.py', content: `def execute(input_data):\n    return ${JSON.stringify(text)}\n` },
    { path: 'data/words.txt', content: `${text}\n` },
  ])
  const behaviour = {
    runtime: 'python' as const,
    entry: 'program.py',
    input_schema: {},
    output_schema: {},
    limits: DEFAULT_LIMITS,
    isolation: 'shared' as const,
    dependencies: [],
  }
  const digest = digestOf(staged.files, behaviour)
  const none = { right: 0, total: 0, accuracy: null, interval: null }
  const scorecard = {
    version: 0,
    digest,
    cases: { ...none, failed: [] },
    held_out: { ...none, method: 'held_out' as const },
    verdicts: new Map<string, boolean>(),
  }
  const check = { checks: [], cases: [], examples: [], latency: { p50: 0, p95: 0 } }
  const candidate = { staged, behaviour, digest, scorecard, check }
  const examples = {
    path: `datasets/examples/${digest.slice(7, 15)}.jsonl`,
    sha256: '',
    rows: [],
    content: `{"input":"x","output":${JSON.stringify(text)}}\n`,
  }
  const birth = { origin: { kind: 'add' as const }, examples }
  return (await registerCandidate(workspace, opened, candidate, birth)).version
}

/** Promotes without a gate. */
export async function activateVersion(workspace: Workspace, id: string, number: number): Promise<void> {
  const { data, app } = await openApp(workspace, id)
  const active = await findActive(app)
  const from = active === undefined ? undefined : await identifyVersion(app, active)
  await flip(workspace, { data, app }, { op: 'promote', from, to: await readVersion(app, number) })
}

/** A data directory with one app that has a version for each text; the last one is active when there are two or more. */
export async function makeApp(root: string, id: string, ...texts: string[]): Promise<Workspace> {
  const workspace = createWorkspace({ cwd: root, dir: root, env: {} })
  await init(workspace)
  await create(workspace, { id, template: 'blank' })
  for (const text of texts) {
    const number = await addVersion(workspace, id, text)
    if (texts.length > 1) await activateVersion(workspace, id, number)
  }
  return workspace
}
