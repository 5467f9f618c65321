import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS, type Isolation, type Limits } from '../../src/domain/launch.ts'
import { runtimes } from '../../src/runtimes/index.ts'
import type { RuntimeName } from '../../src/runtimes/runtime.ts'
import { sandboxes } from '../../src/sandboxes/index.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'

type Code = Record<
  | 'echo'
  | 'end'
  | 'told'
  | 'spin'
  | 'print'
  | 'state'
  | 'classify'
  | 'nothing'
  | 'broken'
  | 'failing'
  | 'exiting'
  | 'eat'
  | 'beside'
  | 'network'
  | 'process',
  string
>

const PROGRAMS: Record<RuntimeName, { entry: string; code: Code }> = {
  python: {
    entry: 'program.py',
    code: {
      echo: 'def execute(value):\n    return value',
      end: 'import os\ndef execute(value):\n    os._exit(3) if value == "end" else None\n    return value',
      told: `
def execute(told):
    if told == 'raise': raise ValueError("no good")
    if told == 'nan': return [float('nan')]
    if told == 'integer': return 2 ** 53
    if told == 'surrogate': return '\\ud800'
    if told == 'large': return 'x' * (2 << 20)
    if told == 'deep':
        for _ in range(70): told = [told]
    return told`,
      spin: 'def execute(value):\n    while True: pass',
      print: 'def execute(value):\n    print("a log line")\n    return value',
      state: 'SEEN = []\ndef execute(value):\n    SEEN.append(value)\n    return len(SEEN)',
      classify: 'def classify(text):\n    return len(text)',
      nothing: 'def answer(value):\n    return value',
      broken: 'def execute(',
      failing: 'raise RuntimeError("not today")',
      exiting: 'import os\nos._exit(1)',
      eat: 'def execute(value):\n    return len([bytearray(16 << 20) for _ in range(100)])',
      beside:
        'from pathlib import Path\ndef execute(value):\n    return (Path(__file__).parent / "data.txt").read_text()',
      network: 'import socket\ndef execute(value):\n    socket.create_connection(("127.0.0.1", 9), 1)',
      process: 'import subprocess\ndef execute(value):\n    subprocess.run(["true"])',
    },
  },
  node: {
    entry: 'program.js',
    code: {
      echo: 'export async function execute(value) { return value }',
      end: 'export function execute(value) { if (value === "end") process.exit(3); return value }',
      told: `
export function execute(told) {
  if (told === 'raise') throw new TypeError('no good')
  if (told === 'nan') return [NaN]
  if (told === 'integer') return 2 ** 53
  if (told === 'surrogate') return '\\ud800'
  if (told === 'large') return 'x'.repeat(2 << 20)
  if (told === 'deep') for (let i = 0; i < 70; i++) told = [told]
  return told
}`,
      spin: 'export function execute(value) { for (;;); }',
      print: 'export function execute(value) { console.log("a log line"); return value }',
      state: 'const seen = []\nexport function execute(value) { seen.push(value); return seen.length }',
      classify: 'export function classify(text) { return text.length }',
      nothing: 'export function answer(value) { return value }',
      broken: 'export function execute(',
      failing: 'throw new RangeError("not today")',
      exiting: 'process.exit(1)',
      eat: 'export function execute(value) { const all = []; for (let i = 0; i < 100; i++) all.push(Buffer.alloc(16 << 20, 1)); return all.length }',
      beside:
        'import { readFileSync } from "node:fs"\nexport function execute() { return readFileSync(new URL("data.txt", import.meta.url), "utf8") }',
      network:
        'import net from "node:net"\nexport function execute() { return new Promise((_, reject) => net.connect(9, "127.0.0.1").on("error", reject)) }',
      process:
        'import { execFileSync } from "node:child_process"\nexport function execute() { execFileSync("true") }',
    },
  },
}

for (const [name, { entry, code }] of Object.entries(PROGRAMS) as [
  RuntimeName,
  (typeof PROGRAMS)['node'],
][]) {
  const { works, missing } = await findTiers(['bubblewrap', 'landlock'], name)
  const cases: SandboxName[] = works.length > 0 ? ['bubblewrap', 'landlock'] : ['none']

  describe.each(cases)(`${name} in %s`, sandbox => {
    const reason = missing.get(sandbox)

    describe.skipIf(reason).each(['shared', 'request'] as const)(
      `%s${reason ? ` (${reason})` : ''}`,
      isolation => {
        const open = (which: keyof Code, limits: Partial<Limits> = {}) =>
          openProgram(name, entry, code[which], {
            sandbox,
            isolation,
            limits: { ...DEFAULT_LIMITS, ...limits },
          })

        test('answers', async () => {
          const pool = await open('echo')
          for (const value of ['grüße 😀\u2028', 1.5, null, [true, { a: {} }], { __proto__: 1 }])
            expect(await pool.run(value)).toMatchObject({ kind: 'ok', value })
          const replies = await pool.runMany([...Array(isolation === 'shared' ? 300 : 4).keys()])
          expect(replies.map(reply => 'value' in reply && reply.value)).toEqual([...replies.keys()])
        })

        test('says what is wrong with a call, and answers the next', async () => {
          const pool = await open('told')
          const cases = [
            ['raise', 'error', /no good \(program\.\w+:\d\)$/],
            ['nan', 'bad-output', /cannot return NaN or infinity/],
            ['integer', 'bad-output', /beyond 2\*\*53/],
            ['surrogate', 'bad-output', /lone surrogate/],
            ['large', 'output-limit', /larger than 1024 KiB/],
            ['deep', 'bad-output', /nested levels/],
          ] as const
          for (const [told, kind, message] of cases)
            expect(await pool.run(told)).toMatchObject({ kind, message: expect.stringMatching(message) })
          const replies = await pool.runMany(['fine', 'nan', 'raise'])
          expect(replies.map(reply => reply.kind)).toEqual(['ok', 'bad-output', 'error'])
        })

        test.each([
          ['nothing', /program\.\w+ (defines|exports) no/],
          ['broken', /SyntaxError/],
          ['failing', /not today/],
          ['exiting', /ended without an answer/],
        ] as const)('says why a program does not load: %s', async (which, message) => {
          const pool = await open(which)
          const failure = { kind: 'start-failed', message: expect.stringMatching(message) }
          expect(await pool.ready).toMatchObject(failure)
          expect(await pool.runMany([1, 2])).toMatchObject([failure, failure])
        })

        test('replaces what has ended, and stops what does not end', async () => {
          const pool = await open('end')
          expect((await pool.runMany(['a', 'end', 'b'])).map(reply => reply.kind)).toEqual([
            'ok',
            'noreply',
            'ok',
          ])
          const spinning = await open('spin', { timeout_ms: 200 })
          expect(await spinning.run(1)).toMatchObject({ kind: 'timeout' })
        })

        test('what is printed is no answer', async () => {
          const pool = await open('print')
          expect(await pool.run(1)).toMatchObject({ kind: 'ok', value: 1 })
        })

        test(isolation === 'shared' ? 'remembers' : 'remembers nothing', async () => {
          const pool = await open('state')
          const values = []
          for (const input of [1, 2, 3]) values.push(await pool.run(input))
          expect(values).toMatchObject(
            [1, 2, 3].map(count => ({ value: isolation === 'shared' ? count : 1 })),
          )
        })

        test('calls classify(text) with the one text', async () => {
          const pool = await open('classify')
          expect(await pool.run({ text: 'four' })).toMatchObject({ kind: 'ok', value: 4 })
        })

        test('reads the files beside it', async () => {
          const pool = await open('beside')
          expect(await pool.run(1)).toMatchObject({ kind: 'ok', value: 'beside' })
        })

        test('stops a program that eats memory', async () => {
          const pool = await open('eat', { memory_mb: 64, timeout_ms: 10_000 })
          const reply = await pool.run(1)
          expect(['memory', 'error', 'killed', 'noreply']).toContain(reply.kind)
          expect('message' in reply && reply.message).toMatch(/emory|allocation|SIG/)
        })

        test.skipIf(sandbox === 'none')(
          'reaches no network and starts no process, and says why',
          async () => {
            for (const which of ['network', 'process'] as const) {
              const pool = await open(which)
              expect(await pool.run(1)).toMatchObject({
                kind: 'error',
                message: expect.stringMatching(/the sandbox has no/),
              })
            }
          },
        )
      },
    )
  })
}

async function openProgram(
  name: RuntimeName,
  entry: string,
  code: string,
  { sandbox, isolation, limits }: { sandbox: SandboxName; isolation: Isolation; limits: Limits },
) {
  const directory = path.join(temporaryFolder(), 'program')
  mkdirSync(directory)
  writeFileSync(path.join(directory, entry), code)
  writeFileSync(path.join(directory, 'data.txt'), 'beside')
  const runtime = (await runtimes[name]()).default
  const inside = '/loopai-data/loop-apps/fixture-001/artifacts/v1'
  const launch = runtime.launch(await findInterpreter(runtime), {
    directory,
    inside,
    entry,
    limits,
    isolation,
  })
  const pool = createPool({ launch: (await sandboxes[sandbox]()).default.confine(launch), limits })
  onTestFinished(() => pool.close())
  return pool
}
