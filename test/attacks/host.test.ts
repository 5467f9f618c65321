import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { openPool } from '../../src/actions/open-pool.ts'
import { placeOf } from '../../src/actions/open-program.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { DEFAULT_LIMITS, type Launch } from '../../src/domain/launch.ts'
import { runtimes } from '../../src/runtimes/index.ts'
import type { RuntimeName } from '../../src/runtimes/runtime.ts'
import { sandboxes } from '../../src/sandboxes/index.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'
import { admitVersion, readVersion } from '../../src/store/versions.ts'
import { createPool } from '../../src/workers/pool.ts'
import { bundle } from '../helpers/bundle.ts'
import { temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { makeApp } from '../helpers/versions.ts'
import { launchOf, openCode } from '../helpers/workers.ts'

const { works, missing } = await findTiers(['bubblewrap', 'landlock'])
const ECHO = 'def execute(value):\n    return value\n'

describe.skipIf(works.length === 0)('a program folder is refused', () => {
  test.each([
    ['when it is a link', 'v1'],
    ['when the folder of versions is a link', 'artifacts'],
    ['when the folder of the app is a link', 'app-001'],
    ['when the folder of the apps is a link', 'loop-apps'],
  ])('%s', async (_, link) => {
    const root = temporaryFolder()
    const names = ['loop-apps', 'app-001', 'artifacts', 'v1']
    const at = names.indexOf(link)
    const elsewhere = path.join(root, 'elsewhere')
    mkdirSync(path.join(elsewhere, ...names.slice(at + 1)), { recursive: true })
    writeFileSync(path.join(elsewhere, ...names.slice(at + 1), 'program.py'), ECHO)
    mkdirSync(path.join(root, ...names.slice(0, at)), { recursive: true })
    symlinkSync(elsewhere, path.join(root, ...names.slice(0, at + 1)))
    await expect(open(path.join(root, ...names))).rejects.toMatchObject({ code: 'INTEGRITY' })
  })

  test('when it holds links, hard links or a device', async () => {
    for (const add of [
      (file: string) => symlinkSync('/etc/passwd', file),
      (file: string) => linkSync(path.join(path.dirname(file), 'program.py'), file),
      (file: string) => execFileSync('mkfifo', [file]),
    ]) {
      const directory = program(ECHO)
      add(path.join(directory, 'odd'))
      await expect(open(directory)).rejects.toMatchObject({
        code: 'INTEGRITY',
        message: expect.stringMatching(/is (a symbolic link|a hard link|no plain file)/),
      })
    }
  })
})

describe.each(['bubblewrap', 'landlock'] as const)('in %s', sandbox => {
  const reason = missing.get(sandbox)

  test.skipIf(reason).each(['python', 'node'] as const)(
    'nothing survives a host that is killed (%s)',
    async name => {
      const host = await startHost(
        await sleeper(sandbox, name),
        `const pool = open()
       await pool.ready
       pool.run(60)
       setTimeout(() => console.log('ready'), 100)`,
      )
      const left = descendants(host.pid!)
      expect(left.length).toBeGreaterThan(0)
      host.kill('SIGKILL')
      await expect.poll(() => left.filter(isRunning), { timeout: 1000 }).toEqual([])
    },
  )

  test.skipIf(reason)(
    'a thread that ends takes its own processes with it, and no other thread’s',
    async () => {
      // A confined process dies with the thread that started it; no other thread can have a handle of it.
      const host = await startHost(
        await sleeper(sandbox, 'python'),
        `const pool = open()
       await pool.ready
       if (isMainThread) {
         const thread = new Worker(new URL(import.meta.url))
         await once(thread, 'message')
         process.stdout.write('started\\n')
         await once(process.stdin, 'data')
         await thread.terminate()
         const { kind, value } = await pool.run(0)
         console.log(kind, value)
       } else {
         const call = pool.run(60)
         setTimeout(() => parentPort.postMessage('ready'), 100)
       }`,
      )
      const both = descendants(host.pid!)
      host.stdin.write('go\n')
      const [answer] = await once(host.stdout, 'data')
      expect(String(answer)).toBe('ok 0\n')
      await expect.poll(() => both.filter(isRunning).length, { timeout: 1000 }).toBe(both.length / 2)
      host.kill('SIGKILL')
      await expect.poll(() => both.filter(isRunning), { timeout: 1000 }).toEqual([])
    },
  )

  test.skipIf(reason)('names are only names', async () => {
    for (const name of ['--dev', 'new\nline', ' ', 'quote"\'', '$(id)', 'ünï\u202e', '%n']) {
      const directory = path.join(temporaryFolder(), name)
      mkdirSync(directory)
      writeFileSync(path.join(directory, `${name}.py`), ECHO)
      const launch = await launchOf(directory, `${name}.py`, { sandbox })
      const pool = createPool({ launch, limits: DEFAULT_LIMITS })
      onTestFinished(() => pool.close())
      expect(await pool.run(name)).toMatchObject({ kind: 'ok', value: name })
    }
  })

  test.skipIf(reason)('a program that is no text is refused, one that is huge too', async () => {
    const limits = { load_ms: 3000 }
    for (const code of [
      '\u0000\u0001',
      `${'('.repeat(100_000)}`,
      `x = '${'y'.repeat(20 << 20)}'`,
      '\ufeff\ufeff',
    ]) {
      const pool = await openCode(code, { sandbox, limits })
      expect(await pool.run(1)).toMatchObject({ kind: 'start-failed' })
    }
  })

  test.skipIf(reason)('an error message holds nothing of the environment', async () => {
    process.env.LOOPAI_TEST_SECRET = 'hunter2'
    onTestFinished(() => {
      delete process.env.LOOPAI_TEST_SECRET
    })
    const code =
      'import os\ndef execute(value):\n    print(dict(os.environ))\n    raise ValueError(dict(os.environ))'
    const pool = await openCode(code, { sandbox })
    expect(JSON.stringify(await pool.run(1))).not.toContain('hunter2')
  })
})

test('a launch that the system refuses is a failure, not a crash', async () => {
  const launch = await launchOf(program(ECHO), 'program.py', {})
  const pool = createPool({ launch: { ...launch, args: ['x'.repeat(200_000)] }, limits: DEFAULT_LIMITS })
  expect(await pool.ready).toMatchObject({
    kind: 'sandbox-unavailable',
    message: expect.stringMatching(/E2BIG/),
  })
  expect(await pool.run(1)).toMatchObject({ kind: 'sandbox-unavailable' })
  const missing = createPool({ launch: { ...launch, command: '/nonexistent' }, limits: DEFAULT_LIMITS })
  expect(await missing.run(1)).toMatchObject({
    kind: 'sandbox-unavailable',
    message: expect.stringMatching(/ENOENT|nonexistent/),
  })
  await Promise.all([pool.close(), missing.close()])
})

test('an answer that came in time counts, however busy the host was', async () => {
  const pool = await openCode(ECHO, { limits: { timeout_ms: 200 } })
  await pool.ready
  const call = pool.run('in time')
  await new Promise(resolve => setImmediate(resolve))
  const until = performance.now() + 500
  while (performance.now() < until);
  expect(await call).toMatchObject({ kind: 'ok', value: 'in time' })
})

test('a program that never answers is not in the way of another', async () => {
  const stuck = await openCode('import time\ndef execute(value):\n    time.sleep(60)', {
    limits: { timeout_ms: 100 },
  })
  const quick = await openCode(ECHO)
  await Promise.all([stuck.ready, quick.ready])
  const calls = Array.from({ length: 5 }, () => stuck.run(1))
  let answered = 0
  const until = performance.now() + 400
  while (performance.now() < until) {
    expect((await quick.run(answered)).kind).toBe('ok')
    answered++
  }
  // Behind the other one it would have been four.
  expect(answered).toBeGreaterThan(10)
  for (const reply of await Promise.all(calls)) expect(reply.kind).toBe('timeout')
})

test('two hosts run the same program, each with its own workers', async () => {
  const code = 'COUNT = 0\ndef execute(value):\n    global COUNT\n    COUNT += 1\n    return COUNT'
  const launch = await launchOf(program(code), 'program.py', {})
  const pools = [1, 2].map(() => createPool({ launch, limits: DEFAULT_LIMITS }))
  for (const pool of pools) expect(await pool.run(1)).toMatchObject({ kind: 'ok', value: 1 })
  await Promise.all(pools.map(pool => pool.close()))
})

describe('a file that is swapped between its verification and its load', () => {
  const ID = 'spam-detector-001'
  beforeEach(() => {
    Object.assign(process.env, USER_ENV)
  })

  test.each(['program.py', 'data/words.txt'])('is noticed: %s', async name => {
    const root = temporaryFolder()
    const { app, version } = await readSecond(await makeApp(root, ID, 'one', 'two'))
    const file = path.join(version.directory, name)
    const gate = async () => {
      const admission = await admitVersion(app, version)
      renameSync(file, path.join(root, 'good'))
      writeFileSync(file, ECHO)
      const confirm = () => {
        // It has been loaded: nobody would see it any more.
        renameSync(path.join(root, 'good'), file)
        admission.confirm()
      }
      return { ...admission, confirm }
    }
    const options = { limits: DEFAULT_LIMITS, gate, unsandboxed: true }
    await expect(openPool(placeOf(app, version), options)).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringMatching(/were changed while it was loaded/),
    })
  })

  test('is not run, however often somebody tries', { timeout: 60_000 }, async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'good', 'good, too')
    const file = path.join(root, 'loop-apps', ID, 'artifacts/v2/program.py')
    writeFileSync(path.join(root, 'evil'), 'def execute(value):\n    return "evil"\n')
    const script = `
import os, random, sys, time
file, other = sys.argv[1:]
while os.getppid() != 1:
    for _ in range(2):
        os.rename(file, other + '.2'); os.rename(other, file); os.rename(other + '.2', other)
        time.sleep(random.random() * 0.06)
    time.sleep(0.12)
`
    const swapper = spawn('python3', ['-c', script, file, path.join(root, 'evil')], { stdio: 'ignore' })
    try {
      const seen = { loaded: 0, refused: 0 }
      for (const until = Date.now() + 8000; Date.now() < until; ) {
        try {
          const executor = await openExecutor(workspace, ID, {
            source: 'cli',
            unsandboxed: true,
            record: false,
          })
          expect(await executor.execute(1)).toMatchObject({ output: 'good, too' })
          await executor.close()
          seen.loaded++
        } catch (error) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(INTEGRITY|VERSION_NOT_FOUND|FILE_NOT_FOUND|ENOENT)$/),
          })
          seen.refused++
        }
      }
      expect(seen.refused).toBeGreaterThan(0)
    } finally {
      swapper.kill('SIGKILL')
    }
  })

  test.each(['python', 'node'] as const)(
    'is not found by a process that sees another folder (%s)',
    async name => {
      const runtime = (await runtimes[name]()).default
      const entry = name === 'python' ? 'program.py' : 'program.mjs'
      const directory = program(ECHO)
      writeFileSync(path.join(directory, 'program.mjs'), 'export const execute = value => value')
      const interpreter = await findInterpreter(runtime)
      const limits = DEFAULT_LIMITS
      const place = { directory, inside: '/loopai-data/p', entry, limits, isolation: 'shared' as const }
      const launch = runtime.launch(interpreter, place)
      const { dev, ino } = statSync(directory, { bigint: true })
      for (const [folder, kind] of [
        [`${dev}:${ino}`, 'ok'],
        [`${dev}:${ino + 1n}`, 'start-failed'],
      ] as const) {
        const gate = async () => ({ folder, confirm: () => {} })
        const pool = createPool({ launch, limits, gate })
        onTestFinished(() => pool.close())
        expect(await pool.run(1)).toMatchObject({ kind })
      }
    },
  )
})

/** A program that waits for as many seconds as it is told. */
async function sleeper(sandbox: SandboxName, name: RuntimeName): Promise<Launch> {
  const directory = program('import time\ndef execute(value):\n    time.sleep(value)\n    return value\n')
  writeFileSync(
    path.join(directory, 'program.mjs'),
    'export const execute = value => new Promise(resolve => setTimeout(resolve, value * 1000, value))',
  )
  const runtime = (await runtimes[name]()).default
  const entry = name === 'python' ? 'program.py' : 'program.mjs'
  const place = {
    directory,
    inside: '/loopai-data/p',
    entry,
    limits: DEFAULT_LIMITS,
    isolation: 'shared' as const,
  }
  return (await sandboxes[sandbox]()).default.confine(runtime.launch(await findInterpreter(runtime), place))
}

/** A process of its own with a function `open`, which makes a pool. Resolves when it has printed something. */
async function startHost(launch: Launch, code: string) {
  const entry = path.join(temporaryFolder(), 'host.ts')
  writeFileSync(
    entry,
    `import { once } from 'node:events'
     import { isMainThread, parentPort, Worker } from 'node:worker_threads'
     import { createPool } from ${JSON.stringify(path.resolve('src/workers/pool.ts'))}
     const launch = ${JSON.stringify({ ...launch, filter: undefined })}
     launch.filter = ${launch.filter ? `Buffer.from(${JSON.stringify(launch.filter.toString('base64'))}, 'base64')` : 'undefined'}
     const limits = { ...${JSON.stringify(DEFAULT_LIMITS)}, timeout_ms: 60_000 }
     const open = () => createPool({ launch, limits })
     ${code}`,
  )
  const outfile = path.join(temporaryFolder(), 'host.mjs')
  await bundle(entry, outfile)
  const host = spawn(process.execPath, [outfile], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void host.kill('SIGKILL'))
  await once(host.stdout, 'data')
  return host
}

/** The folder of a version with this program. */
function program(code: string): string {
  const directory = path.join(temporaryFolder(), 'loop-apps', 'app-001', 'artifacts', 'v1')
  mkdirSync(directory, { recursive: true })
  writeFileSync(path.join(directory, 'program.py'), code)
  return directory
}

async function readSecond(workspace: Workspace) {
  const { app } = await openApp(workspace, 'spam-detector-001')
  return { app, version: await readVersion(app, 2) }
}

async function open(directory: string) {
  const place = {
    loopAppId: 'app-001',
    version: 1,
    directory,
    runtime: 'python' as const,
    entry: 'program.py',
  }
  const pool = await openPool(place, { limits: DEFAULT_LIMITS })
  await pool.close()
}

function descendants(ancestor: number): number[] {
  const listing = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
  const rows = listing
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
  const found = [ancestor]
  for (const parent of found) for (const [pid, ppid] of rows) if (ppid === parent) found.push(pid!)
  return found.slice(1)
}

function isRunning(pid: number): boolean {
  return (
    execFileSync('ps', ['-o', 'stat=', '-p', String(process.pid), '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter(state => !state.startsWith('Z')).length > 1
  )
}
