import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { launchOf, openCode, openFixture } from '../helpers/workers.ts'

describe('a pool', () => {
  test('answers with what the program returns', async () => {
    const pool = await openFixture('echo.py')
    const value = { text: 'grüße 😀\u2028', list: [1, 2.5, null, true], deep: { a: {} } }
    expect(await pool.ready).toBeUndefined()
    expect(await pool.run(value)).toMatchObject({ kind: 'ok', value })
  })

  test.each([
    ['raise', 'error', /ValueError: no good \(misbehave.py:\d+\)/],
    ['exit', 'error', /SystemExit: 0/],
    ['end', 'noreply', /ended without an answer/],
    ['abort', 'killed', /SIGABRT/],
    ['terminate', 'killed', /SIGKILL/],
    ['nan', 'bad-output', /cannot return NaN or infinity/],
    ['infinity', 'bad-output', /cannot return NaN or infinity/],
    ['set', 'bad-output', /cannot return a set/],
    ['bytes', 'bad-output', /cannot return a bytes/],
    ['large integer', 'bad-output', /beyond 2\*\*53/],
    ['surrogate', 'bad-output', /lone surrogate/],
    ['subclass', 'bad-output', /cannot return a Text/],
    ['numbers as keys', 'bad-output', /a key that is a int/],
    ['nested', 'bad-output', /nested levels/],
    ['large', 'output-limit', /larger than 1024 KiB/],
    ['chatter', 'log-limit', /printed more than 64 KiB/],
    ['escape', 'error', /RuntimeError: {2}\[31mred /],
    ['emoji', 'error', /😀 \(misbehave/],
  ])('says why there is no answer to "%s", and answers the next call', async (what, kind, message) => {
    for (const isolation of ['shared', 'request'] as const) {
      const pool = await openFixture('misbehave.py', { isolation })
      const reply = await pool.run(what)
      expect(reply).toMatchObject({ kind, message: expect.stringMatching(message) })
      expect(await pool.run('next')).toMatchObject({ kind: 'ok', value: 'next' })
    }
  })

  test('stops a program that takes too long', async () => {
    const pool = await openFixture('sleep-forever.py', { limits: { timeout_ms: 100 } })
    const reply = await pool.run(1)
    expect(reply).toMatchObject({ kind: 'timeout', message: 'no answer within 100 ms' })
    expect(reply.latencyMs).toBeLessThan(1000)
    expect(await pool.run(1, { timeoutMs: 50 })).toMatchObject({ message: 'no answer within 50 ms' })
  })

  test('stops a program that takes too much processor time', async () => {
    const pool = await openFixture('misbehave.py', { limits: { timeout_ms: 1000 } })
    expect(await pool.run('spin', { timeoutMs: 20_000 })).toMatchObject({ kind: 'cpu' })
  })

  test('stops a program that takes too much memory', async () => {
    for (const isolation of ['shared', 'request'] as const) {
      const pool = await openFixture('misbehave.py', {
        isolation,
        limits: { memory_mb: 16, timeout_ms: 10_000 },
      })
      expect(await pool.run('eat')).toMatchObject({ kind: 'memory' })
      expect(await pool.run(1)).toMatchObject({ kind: 'ok' })
    }
  })

  test('kills a worker that writes to the channel out of turn', async () => {
    const pool = await openFixture('print-garbage.py')
    expect(await pool.run(1)).toMatchObject({ kind: 'protocol' })
    const forked = await openFixture('print-garbage.py', { isolation: 'request' })
    expect(await forked.run(1)).toMatchObject({ kind: 'protocol' })
  })

  test('gives nobody the blame for what an earlier call has planted', async () => {
    const pool = await openCode(`
import os, threading, time
def execute(value):
    if value == 'plant':
        threading.Thread(target=lambda: (time.sleep(0.1), os._exit(0))).start()
    else:
        time.sleep(0.3)
    return value
`)
    expect(await pool.run('plant')).toMatchObject({ kind: 'ok' })
    expect(await pool.run('innocent')).toMatchObject({ kind: 'ok', value: 'innocent' })
  })

  test.each(['shared', 'request'] as const)('says why a program cannot be loaded (%s)', async isolation => {
    const pool = await openFixture('start-and-fail.py', { isolation })
    const failure = { kind: 'start-failed', message: expect.stringMatching(/RuntimeError: not today/) }
    expect(await pool.ready).toMatchObject(failure)
    expect(await pool.run(1)).toMatchObject(failure)
    expect(await pool.runMany([1, 2, 3])).toMatchObject([failure, failure, failure])
    const nothing = await openFixture('no-entry.py', { isolation })
    expect(await nothing.run(1)).toMatchObject({ message: expect.stringMatching(/defines no execute/) })
    const broken = await openCode('def execute(:', { isolation })
    expect(await broken.run(1)).toMatchObject({
      kind: 'start-failed',
      message: expect.stringMatching(/SyntaxError/),
    })
    const endless = await openCode('while True: pass', { isolation, limits: { load_ms: 200 } })
    expect(await endless.run(1)).toMatchObject({
      kind: 'start-failed',
      message: 'the program did not load within 200 ms',
    })
  })

  test('calls classify(text) with the one text of the input', async () => {
    const pool = await openFixture('classify.py')
    const short = { result: 'short', confidence: 0.5 }
    expect(await pool.run({ text: 'hello' })).toMatchObject({ kind: 'ok', value: short })
    expect(await pool.run('hello')).toMatchObject({ kind: 'ok', value: short })
    expect(await pool.run({ a: 'x', b: 'y' })).toMatchObject({ kind: 'error' })
  })

  test('sets have the same order in every process', async () => {
    const [first, second] = await Promise.all(['a', 'b'].map(() => openFixture('misbehave.py')))
    const order = await first!.run('hash')
    expect(order).toMatchObject({ kind: 'ok' })
    expect(await second!.run('hash')).toMatchObject({ value: 'value' in order && order.value })
  })

  test('refuses an input that is too large or too deep', async () => {
    const pool = await openFixture('echo.py', { limits: { input_kb: 1 } })
    const large = 'x'.repeat(2000)
    await expect(pool.run(large)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' })
    const deep = JSON.parse('['.repeat(65) + ']'.repeat(65))
    expect(await pool.run(deep)).toMatchObject({
      kind: 'bad-input',
      message: expect.stringMatching(/levels/),
    })
    expect(await pool.runMany([1, large, deep, 2])).toMatchObject([
      { kind: 'ok' },
      { kind: 'bad-input', message: expect.stringMatching(/larger than 1 KiB/) },
      { kind: 'bad-input', message: expect.stringMatching(/levels deep/) },
      { kind: 'ok', value: 2 },
    ])
    const allowed = JSON.parse('['.repeat(64) + ']'.repeat(64))
    expect(await pool.run(allowed)).toMatchObject({ kind: 'ok', value: allowed })
    expect(await pool.runMany([allowed, allowed])).toMatchObject([{ value: allowed }, { value: allowed }])
  })

  test('ends every call when it is closed, and answers none after it', async () => {
    const pool = await openFixture('sleep-forever.py', { limits: { timeout_ms: 60_000 } })
    await pool.ready
    const calls = [pool.run(1), pool.run(2)]
    await pool.close()
    for (const reply of await Promise.all([...calls, pool.run(3)])) expect(reply.kind).toBe('killed')
  })

  test('lets nobody in when the gate is shut', async () => {
    const gate = () => Promise.reject(new Error('the digest is another'))
    const pool = await openFixture('echo.py', { gate })
    await expect(pool.ready).rejects.toThrow('the digest is another')
    await expect(pool.run(1)).rejects.toThrow('the digest is another')
    await expect(pool.runMany([1, 2])).rejects.toThrow('the digest is another')
  })

  test('asks the gate for every process, also for one that replaces another', async () => {
    let isShut = false
    const gate = async () => {
      if (isShut) throw new Error('the digest is another')
      return undefined
    }
    const pool = await openFixture('misbehave.py', { gate })
    expect(await pool.run('first')).toMatchObject({ kind: 'ok' })
    isShut = true
    expect(await pool.run('second')).toMatchObject({ kind: 'ok' })
    // Its process ends, and who is to blame would be found out in a new one.
    await expect(pool.run('end')).rejects.toThrow('the digest is another')
    await expect(pool.run('third')).rejects.toThrow('the digest is another')
    isShut = false
    expect(await pool.run('fourth')).toMatchObject({ kind: 'ok' })
  })

  test('never has more processes than its size, and uses all of them', async () => {
    const code = 'import os, time\ndef execute(value):\n    time.sleep(0.02)\n    return os.getpid()'
    const pool = await openCode(code, { size: 3 })
    const replies = await Promise.all(Array.from({ length: 12 }, () => pool.run(1)))
    expect(new Set(replies.map(reply => 'value' in reply && reply.value)).size).toBe(3)
  })

  test('starts a program that ends at once ever more slowly', async () => {
    const pool = await openCode('import os\ndef execute(value):\n    os._exit(1)')
    const times: number[] = []
    for (let call = 0; call < 9; call++) {
      const since = performance.now()
      expect((await pool.run(1)).kind).toBe('noreply')
      times.push(performance.now() - since)
    }
    expect(times[8]! - Math.min(...times.slice(0, 3))).toBeGreaterThan(200)
  })

  test('refuses a call when too many wait', async () => {
    const pool = await openFixture('echo.py', { maxWaiting: 2 })
    const calls = Array.from({ length: 4 }, () => pool.run(1))
    const results = await Promise.allSettled(calls)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect(results[3]).toMatchObject({ reason: { code: 'BUSY' } })
  })

  test('stops workers that nobody needs, and starts them again', async () => {
    const code = 'import os\ndef execute(value):\n    return os.getppid()'
    const pool = await openCode(code, { idleMs: 100 })
    const reply = await pool.run(1)
    const supervisor = 'value' in reply ? Number(reply.value) : 0
    expect(() => process.kill(supervisor, 0)).not.toThrow()
    await new Promise(resolve => setTimeout(resolve, 400))
    expect(() => process.kill(supervisor, 0)).toThrow('ESRCH')
    expect(await pool.run(1)).toMatchObject({ kind: 'ok' })
  })
})

describe('request isolation', () => {
  test('leaves nothing for the next request', async () => {
    const pool = await openFixture('misbehave.py', { isolation: 'request' })
    await pool.run('first')
    expect(await pool.run('seen')).toMatchObject({ value: ['seen'] })
    const shared = await openFixture('misbehave.py')
    await shared.run('first')
    expect(await shared.run('seen')).toMatchObject({ value: ['first', 'seen'] })
  })

  test('survives the end of the process that answers', async () => {
    const code = 'import os\ndef execute(value):\n    return os.getppid() if value else os._exit(3)'
    const pool = await openCode(code, { isolation: 'request' })
    const before = await pool.run(1)
    expect(await pool.run(0)).toMatchObject({ kind: 'noreply' })
    expect(await pool.run(1)).toMatchObject({ kind: 'ok', value: 'value' in before && before.value })
  })
})

describe('many inputs', () => {
  test.each(['shared', 'request'] as const)('are answered in order (%s)', async isolation => {
    const pool = await openFixture('echo.py', { size: 2, isolation })
    const inputs = Array.from({ length: isolation === 'shared' ? 5000 : 50 }, (_, index) => ({ index }))
    const replies = await pool.runMany(inputs)
    expect(replies.map(reply => 'value' in reply && reply.value)).toEqual(inputs)
    expect(replies.every(reply => reply.latencyMs >= 0)).toBe(true)
    expect(await pool.runMany([])).toEqual([])
  })

  test.each(['raise', 'end', 'abort', 'nan', 'large', 'sleep', 'chatter', 'surrogate'])(
    'fail alone: exactly those that say "%s"',
    async what => {
      const pool = await openFixture('misbehave.py', { size: 2, limits: { timeout_ms: 200 } })
      const alone = await pool.run(what)
      const inputs = Array.from({ length: 200 }, (_, index) => (index % 90 === 45 ? what : index))
      const replies = await pool.runMany(inputs)
      for (const [index, reply] of replies.entries()) {
        if (inputs[index] === what) expect(reply.kind).toBe(alone.kind)
        else expect(reply).toMatchObject({ kind: 'ok', value: index })
      }
    },
  )

  test('a program that takes long for each is given time for each', async () => {
    const code = 'import time\ndef execute(value):\n    time.sleep(0.03)\n    return value'
    const pool = await openCode(code, { limits: { timeout_ms: 100 } })
    const replies = await pool.runMany([...Array(20).keys()])
    expect(replies.map(reply => reply.kind)).toEqual(Array(20).fill('ok'))
    expect(replies[0]!.latencyMs).toBeGreaterThan(25)
  })

  test('outputs that are too large together are sent in parts', async () => {
    const code = 'def execute(value):\n    return "x" * 700'
    const pool = await openCode(code, { limits: { output_kb: 1 } })
    const replies = await pool.runMany([...Array(50).keys()])
    expect(replies.every(reply => 'value' in reply && reply.value === 'x'.repeat(700))).toBe(true)
  })

  test('a long batch is not interrupted by starts', async () => {
    const pool = await openCode('import os\ndef execute(value):\n    return os.getpid()')
    const replies = await pool.runMany(Array(12_000).fill(1))
    expect(new Set(replies.map(reply => 'value' in reply && reply.value)).size).toBe(1)
  })

  test('a worker that has answered many is replaced, and works until its successor has loaded the program', async () => {
    const code = 'import os, time\ntime.sleep(1)\ndef execute(value):\n    return os.getpid()'
    const pool = await openCode(code)
    await pool.runMany(new Array(10_000).fill(1))
    const processes = new Set<unknown>()
    let longest = 0
    const isReplaced = async () => {
      const since = performance.now()
      const reply = await pool.run(1)
      longest = Math.max(longest, performance.now() - since)
      processes.add('value' in reply && reply.value)
      return processes.size > 1
    }
    await vi.waitUntil(isReplaced, { timeout: 20_000, interval: 20 })
    // No call has waited for the program to load, which takes a second.
    expect(longest).toBeLessThan(900)
  })

  test('each output is taken before the program runs again', async () => {
    const code = 'ANSWER = {}\ndef execute(value):\n    ANSWER["is"] = value\n    return ANSWER'
    const pool = await openCode(code)
    const replies = await pool.runMany([1, 2, 3])
    expect(replies).toMatchObject([{ value: { is: 1 } }, { value: { is: 2 } }, { value: { is: 3 } }])
  })
})

describe('a process that forks nothing', () => {
  test('runs the program itself, and once if it must', async () => {
    const directory = path.join(temporaryFolder(), 'program')
    mkdirSync(directory)
    writeFileSync(
      path.join(directory, 'program.py'),
      'import os\ndef execute(value):\n    return os.getpid()',
    )
    const launch = await launchOf(directory, 'program.py', {})
    const runner = { ...launch.runner, alone: true }
    const pool = createPool({
      launch: { ...launch, runner, singleUse: true },
      limits: DEFAULT_LIMITS,
      size: 2,
    })
    onTestFinished(() => pool.close())
    const replies = [await pool.run(1), await pool.run(1), ...(await pool.runMany([1, 2, 3, 4]))]
    const processes = new Set(replies.map(reply => reply.kind === 'ok' && reply.value))
    expect(processes.has(false)).toBe(false)
    expect(processes.size).toBe(6)
  })
})
