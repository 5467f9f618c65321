import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Reply } from '../../src/domain/outcome.ts'
import { packageFile } from '../../src/package.ts'
import type { Pool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { openCode } from '../helpers/workers.ts'

const { missing } = await findTiers(['bubblewrap', 'landlock'])

/** Ends in the way that the input says, or answers with its supervisor, its process, and what this process was asked before. */
const CODE = `
import os, sys, time
SEEN = []
def execute(what):
    before = list(SEEN)
    SEEN.append(what)
    if what == 'exit': os._exit(1)
    if what == 'abort': os.abort()
    if what == 'hang': time.sleep(3600)
    if what == 'eat': bytearray(4 << 30)
    if what == 'cut': os.write(3, b'{"n":"'); os._exit(1)
    if what == 'lines': os.write(3, b'\\n' * 3); os._exit(1)
    if what == 'close': os.closerange(3, 64)
    return {'what': what, 'supervisor': os.getppid(), 'process': os.getpid(), 'before': before}
`

/** What an input asks for, and what its reply says. */
const ENDINGS: [what: string, kind: string][] = [
  ['exit', 'noreply'],
  ['abort', 'killed'],
  ['hang', 'timeout'],
  ['eat', 'memory'],
  ['cut', 'noreply'],
]

describe('a process that ends', () => {
  test.each([...ENDINGS, ['close', expect.stringMatching(/^(noreply|killed)$/)]])(
    'on "%s" is renewed by its supervisor, and leaves nothing',
    async (what, kind) => {
      const pool = await openCode(CODE, { limits: { timeout_ms: 300 } })
      const first = answerOf(await pool.run('first'))
      expect(await pool.run(what)).toMatchObject({ kind })
      const next = answerOf(await pool.run('next'))
      expect(next).toMatchObject({ what: 'next', supervisor: first.supervisor, before: [] })
      expect(next.process).not.toBe(first.process)
    },
  )

  test('leaves no notes for the process that takes its place', async () => {
    const pool = await openCode(`
import fcntl, os, sys
def page():
    frame = sys._getframe()
    while 'progress' not in frame.f_locals: frame = frame.f_back
    return frame.f_locals['progress']
def execute(what):
    found = [list(page()), *(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK for descriptor in range(4))]
    if what == 'plant':
        for place in range(1, len(page())): page()[place] = 42
        for descriptor in range(4): os.set_blocking(descriptor, False)
        os._exit(1)
    return found
`)
    expect(await pool.run('plant')).toMatchObject({ kind: 'noreply' })
    expect(await pool.run('look')).toMatchObject({ kind: 'ok', value: [[-1, 0], 0, 0, 0, 0] })
  })

  test('has the blame only after it was asked alone', async () => {
    // Ends at the third input, whatever it is; alone, nothing ends it.
    const pool = await openCode(
      'import os\nSEEN = []\ndef execute(v):\n    SEEN.append(v)\n    return v if len(SEEN) < 3 else os._exit(1)',
    )
    const replies = await pool.runMany([...Array(20).keys()])
    expect(replies).toMatchObject([...Array(20).keys()].map(value => ({ kind: 'ok', value })))
    for (const value of [1, 2, 3, 4, 5]) expect(await pool.run(value)).toMatchObject({ kind: 'ok', value })
  })

  test('is not renewed any more when it cannot be loaded again', async () => {
    const code = `
import os, time
if time.monotonic() > START: raise RuntimeError('not twice')
def execute(value):
    time.sleep(max(0, START - time.monotonic()))
    os._exit(1)
`
    const start = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) + 3
    const pool = await openCode(code.replaceAll('START', String(start)), { limits: { timeout_ms: 10_000 } })
    expect(await pool.run(1)).toMatchObject({ kind: 'noreply' })
    expect(await pool.run(1)).toMatchObject({
      kind: 'start-failed',
      message: expect.stringMatching(/not twice/),
    })
  })

  test.each<[string, (pool: Pool, inputs: unknown[]) => Promise<Reply[]>]>([
    ['one by one', (pool, inputs) => Promise.all(inputs.map(input => pool.run(input)))],
    ['in a batch', (pool, inputs) => pool.runMany(inputs)],
  ])('leaves it to another to say that the program cannot be loaded any more (%s)', async (_, run) => {
    const loads = temporaryFolder()
    const code = `
import os
load = len(os.listdir(${JSON.stringify(loads)}))
os.mkdir(${JSON.stringify(loads)} + '/%d' % load)
if load == 1: raise RuntimeError('not now')
def execute(what):
    if what == 'eat': raise MemoryError
    return what
`
    const pool = await openCode(code)
    expect(await pool.run('eat')).toMatchObject({ kind: 'memory' })
    expect(await run(pool, [1, 2])).toMatchObject([{ value: 1 }, { value: 2 }])
    expect(readdirSync(loads)).toHaveLength(3)
  })

  test('is gone with its pool, also while it is renewed', async () => {
    const pool = await openCode('import os, time\ntime.sleep(0.2)\ndef execute(value):\n    os._exit(1)')
    await pool.ready
    expect(await pool.run(1)).toMatchObject({ kind: 'noreply' })
    const call = pool.run(2)
    await pool.close()
    expect((await call).kind).toMatch(/^(killed|start-failed)$/)
  })
})

describe('in a batch', () => {
  test.each([...ENDINGS, ['lines', 'protocol']])(
    '"%s" now and then costs nobody else an answer',
    async (what, kind) => {
      const pool = await openCode(CODE, { size: 2, limits: { timeout_ms: what === 'hang' ? 200 : 2000 } })
      const inputs = Array.from({ length: 1000 }, (_, index) => (index % 100 === 37 ? what : index))
      const replies = await pool.runMany(inputs)
      expect(replies).toHaveLength(inputs.length)
      for (const [index, reply] of replies.entries()) {
        if (inputs[index] === what) expect(reply).toMatchObject({ kind })
        else expect(answerOf(reply).what).toBe(index)
      }
      const supervisors = new Set(
        replies.flatMap(reply => (reply.kind === 'ok' ? answerOf(reply).supervisor : [])),
      )
      // Who writes out of turn is not trusted any more, nor is its supervisor, whose channel it was.
      if (what !== 'lines') expect(supervisors.size).toBeLessThanOrEqual(2)
    },
  )

  test('an input that hangs takes its time once, and no more', async () => {
    const pool = await openCode(CODE, { limits: { timeout_ms: 200 } })
    await pool.run('first')
    const inputs = Array.from({ length: 200 }, (_, index) => (index % 40 === 20 ? 'hang' : index))
    const since = performance.now()
    const replies = await pool.runMany(inputs)
    expect(performance.now() - since).toBeLessThan(5 * 200 * 2.5)
    expect(replies.filter(({ kind }) => kind === 'timeout')).toHaveLength(5)
    expect(replies.find(({ kind }) => kind === 'timeout')).toMatchObject({
      message: 'no answer within 200 ms',
    })
  })

  test('an input is not late when the whole machine stood still', async () => {
    const code = 'import os, time\ndef execute(value):\n    time.sleep(0.02)\n    return os.getppid()'
    const pool = await openCode(code, { limits: { timeout_ms: 200 } })
    const first = await pool.run(0)
    const group = -('value' in first ? Number(first.value) : 0)
    const replies = pool.runMany([...Array(20).keys()])
    await new Promise(resolve => setTimeout(resolve, 30))
    process.kill(group, 'SIGSTOP')
    spawn('/bin/sh', ['-c', `sleep 0.8; kill -CONT ${group}`])
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
    for (const reply of await replies) expect(reply).toMatchObject({ kind: 'ok' })
  })

  test('every input that crashes is told so', async () => {
    const pool = await openCode(CODE, { size: 2 })
    const replies = await pool.runMany(Array(40).fill('exit'))
    expect(replies.map(({ kind }) => kind)).toEqual(Array(40).fill('noreply'))
  })

  test.each(['0', '3', '-1', '1e300', 'float("nan")', 'float("inf")'])(
    'a program that lies about where it was (%s) harms its own answers at most',
    async place => {
      const code = `
import os, sys
def execute(value):
    if value == 'exit':
        progress = sys._getframe(1).f_locals.get('progress', [0] * 2)
        progress[0] = progress[1] = ${place}
        os._exit(1)
    return value
`
      const pool = await openCode(code, { limits: { timeout_ms: 500 } })
      const inputs = Array.from({ length: 60 }, (_, index) => (index % 20 === 7 ? 'exit' : index))
      const replies = await pool.runMany(inputs)
      for (const [index, reply] of replies.entries())
        expect(reply).toMatchObject(
          inputs[index] === 'exit' ? { kind: 'noreply' } : { kind: 'ok', value: index },
        )
    },
  )
})

describe.each(['bubblewrap', 'landlock'] as const)('in %s', sandbox => {
  const reason = missing.get(sandbox)

  test.skipIf(reason)('the process that takes the place of one that crashed can do no more', async () => {
    const probe = readFileSync(packageFile('templates', 'harness', 'probe.py'), 'utf8')
    const code = `${probe}
import resource
probe = execute
def execute(given):
    if given == 'crash': os.abort()
    if given == 'limits': return [list(resource.getrlimit(limit)) for limit in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE)]
    return probe(given)
`
    const canary = path.join(temporaryFolder(), 'canary')
    const listener = createServer(connection => connection.destroy())
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void listener.close())
    const pool = await openCode(code, { sandbox, limits: { timeout_ms: 10_000 } })
    const limits = await pool.run('limits')
    expect(limits).toMatchObject({ kind: 'ok' })
    expect(await pool.run('crash')).toMatchObject({ kind: 'killed' })
    expect(await pool.run('limits')).toMatchObject({ value: 'value' in limits && limits.value })
    const reply = await pool.run({
      canary,
      home: '/tmp',
      port: (listener.address() as { port: number }).port,
      environment: ['LANG', 'TZ', 'HOME', 'PATH', 'PYTHONHASHSEED', 'OPENBLAS_NUM_THREADS'],
      mounts: [
        '/usr',
        '/lib',
        '/lib64',
        '/bin',
        '/etc',
        '/dev',
        '/loopai',
        '/loopai-data',
        '/root',
        '/home',
        '/opt',
      ],
      // The first process was 2.
      ownProcesses: false,
    })
    expect(reply).toMatchObject({ kind: 'ok', value: [] })
  })
})

function answerOf(reply: Reply) {
  expect(reply).toMatchObject({ kind: 'ok' })
  return (reply as { value: { what: unknown; supervisor: number; process: number; before: unknown[] } }).value
}
