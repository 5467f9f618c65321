import { execFileSync } from 'node:child_process'
import { registerCandidate } from '../../src/actions/candidate.ts'
import { create } from '../../src/actions/create.ts'
import { flip } from '../../src/actions/flip.ts'
import { init } from '../../src/actions/init.ts'
import { openApp } from '../../src/actions/open-app.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { write } from '../../src/actions/write.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { digestOf } from '../../src/domain/version.ts'
import { findActive } from '../../src/store/active.ts'
import { identifyVersion, readVersion, stageVersion } from '../../src/store/versions.ts'

/** A process that writes a data directory as the commands do, without running any program: `node writer.js <act> <argument…>`. */
const acts: Record<string, (...args: string[]) => Promise<unknown>> = {
  init: () => init(workspace),
  create: id => create(workspace, { id: id!, template: 'blank' }),
  add,
  promote: (id, number) => move('promote', id!, Number(number)),
  rollback: (id, number) => move('rollback', id!, Number(number)),
  everything: async id => {
    await init(workspace)
    await create(workspace, { id: id!, template: 'blank' })
    await add(id!, 'one', 'two')
    await move('promote', id!, 1)
    await move('promote', id!, 2)
    return move('rollback', id!, 1)
  },
  /** Loses a race against a commit of the user, and comes second. */
  contested: async id => {
    const { data } = await openApp(workspace, id!)
    return write(workspace, data, async ({ commit }) => {
      execFileSync('git', ['commit', '-q', '--allow-empty', '-m', 'user', '--only'])
      const file = { path: 'loop-apps/a/tests/more.jsonl', mode: '100644' as const, content: 'x\n' }
      return commit({ subject: 'contested', trailers: {}, files: [file] })
    })
  },
  /** Writes nothing; finishes what a crash left. */
  nothing: async id => {
    const { data } = await openApp(workspace, id!)
    return write(workspace, data, async ({ recovered }) => recovered ?? 'nothing to do')
  },
}

const workspace: Workspace = {
  cwd: process.cwd(),
  env: process.env,
  now: () => new Date(),
  report: sentence => process.stderr.write(`${sentence}\n`),
  progress: () => {},
  signal: new AbortController().signal,
  commit: !process.env.NO_COMMIT,
}

async function add(id?: string, ...texts: string[]): Promise<number[]> {
  const opened = await openApp(workspace, id!)
  const numbers: number[] = []
  for (const text of texts) {
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
    numbers.push((await registerCandidate(workspace, opened, candidate, birth)).version)
  }
  return numbers
}

async function move(op: 'promote' | 'rollback', id: string, number: number): Promise<string | null> {
  const { data, app } = await openApp(workspace, id)
  const active = await findActive(app)
  return flip(
    workspace,
    { data, app },
    {
      op,
      from: active === undefined ? undefined : await identifyVersion(app, active),
      to: await readVersion(app, number),
      evidence: null,
      forced: false,
    },
  )
}

const [act, ...args] = process.argv.slice(2)
try {
  process.stdout.write(`${JSON.stringify(await acts[act!]!(...args))}\n`)
} catch (error) {
  const { code, exit, message, hint } = error as {
    code?: string
    exit?: number
    message: string
    hint?: string
  }
  process.stderr.write(`${exit ? '' : (error as Error).stack}${code}: ${message}\n${hint}\n`)
  process.exitCode = exit ?? 1
}
