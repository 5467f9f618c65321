import { execFileSync } from 'node:child_process'
import { create } from '../../src/actions/create.ts'
import { flip } from '../../src/actions/flip.ts'
import { init } from '../../src/actions/init.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { sync } from '../../src/actions/sync.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { write } from '../../src/actions/write.ts'
import { findActive } from '../../src/store/active.ts'
import { identifyVersion, readVersion } from '../../src/store/versions.ts'
import { addVersion } from './versions.ts'

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
  /** Promotes one version after the other, as often as that. */
  alternate: async (id, count, ...versions) => {
    for (let i = 0; i < Number(count); i++) await move('promote', id!, Number(versions[i % versions.length]))
  },
  read: readInLoop,
  sync: () => sync(workspace),
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
  const numbers: number[] = []
  for (const text of texts) numbers.push(await addVersion(workspace, id!, text))
  return numbers
}

async function move(op: 'promote' | 'rollback', id: string, number: number): Promise<string | null> {
  const { data, app } = await openApp(workspace, id)
  const active = await findActive(app)
  const from = active === undefined ? undefined : await identifyVersion(app, active)
  return flip(workspace, { data, app }, { op, from, to: await readVersion(app, number) })
}

/** Executes an app until standard input ends. */
async function readInLoop(id?: string) {
  let isOver = false
  process.stdin.resume().on('end', () => {
    isOver = true
  })
  const answers = new Map<string, unknown>()
  const failures: string[] = []
  let reads = 0
  for (; !isOver; reads++) {
    try {
      const executor = await openExecutor(workspace, id!, { source: 'cli', unsandboxed: true })
      const { digest, output, error } = await executor.execute({})
      if (error) failures.push(error.message)
      else if (answers.has(digest) && answers.get(digest) !== output) failures.push(`${digest}: ${output}`)
      else answers.set(digest, output)
      await executor.close()
    } catch (error) {
      failures.push(String(error))
    }
  }
  return { reads, failures, answers: [...answers.values()].sort() }
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
