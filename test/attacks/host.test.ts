import { execFileSync, spawn } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openPool } from '../../src/actions/open-pool.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
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

  test.skipIf(reason)('nothing survives a host that is killed', async () => {
    const entry = path.join(temporaryFolder(), 'host.ts')
    const directory = program('import time\ndef execute(value):\n    time.sleep(60)\n')
    const launch = await launchOf(directory, 'program.py', { sandbox })
    writeFileSync(
      entry,
      `import { createPool } from ${JSON.stringify(path.resolve('src/workers/pool.ts'))}
       const launch = ${JSON.stringify({ ...launch, filter: undefined })}
       launch.filter = ${launch.filter ? `Buffer.from(${JSON.stringify(launch.filter.toString('base64'))}, 'base64')` : 'undefined'}
       const limits = { ...${JSON.stringify(DEFAULT_LIMITS)}, timeout_ms: 60_000 }
       const pool = createPool({ launch, limits })
       await pool.ready
       pool.run(1)
       setTimeout(() => console.log('ready'), 100)`,
    )
    const outfile = path.join(temporaryFolder(), 'host.mjs')
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node' })
    const host = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => host.stdout.once('data', resolve))
    const left = descendants(host.pid!)
    expect(left.length).toBeGreaterThan(1)
    host.kill('SIGKILL')
    await expect.poll(() => left.filter(isRunning), { timeout: 1000 }).toEqual([])
  })

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

/** The folder of a version with this program. */
function program(code: string): string {
  const directory = path.join(temporaryFolder(), 'loop-apps', 'app-001', 'artifacts', 'v1')
  mkdirSync(directory, { recursive: true })
  writeFileSync(path.join(directory, 'program.py'), code)
  return directory
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
