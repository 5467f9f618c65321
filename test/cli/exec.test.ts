import { type StdioOptions, spawn } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { misbehaving } from '../helpers/apps.ts'
import {
  BIN,
  environment,
  loopai,
  type Parsed,
  readLines,
  succeed,
  traces,
  writeFiles,
} from '../helpers/cli.ts'

const APP = 'misbehave-001'
const copy = misbehaving()

const appOf = (folder: string) => path.join(folder, 'loopai-data', 'loop-apps', APP)

function recordsOf(folder: string): Parsed[] {
  const executions = path.join(appOf(folder), 'datasets', 'executions')
  const files = readdirSync(executions)
  return files.flatMap(file => readLines(path.join(executions, file)))
}

describe('a program that', () => {
  test.each([
    ['raises', 'raise', 'program_error', 'ValueError: no good'],
    ['exits', 'exit', 'program_error', 'SystemExit'],
    ['ends its process', 'end', 'program_error', ''],
    ['returns NaN', 'nan', 'invalid_output', 'NaN'],
    ['returns a set', 'set', 'invalid_output', 'set'],
    ['returns what the schema does not allow', 'numbers as keys', 'invalid_output', ''],
    ['returns too much', 'large', 'invalid_output', 'larger than 1024 KiB'],
    ['loops', 'spin', 'timeout', 'no answer within 300 ms'],
  ])('%s is told by kind and message, recorded, and exit 6', async (_, what, kind, message) => {
    const folder = await copy()
    const args = ['exec', APP, JSON.stringify(what), '--timeout', '300', '--json']
    const { status, stdout, stderr } = await loopai(folder, args)
    expect([status, stdout]).toEqual([6, ''])
    const { error } = JSON.parse(stderr)
    expect(error.code).toBe('PROGRAM_FAILED')
    expect(error.details.kind).toMatch(kind)
    expect(error.message).toContain(message)
    expect(error.hint).toBeTruthy()
    const [record] = recordsOf(folder)
    expect(record).toMatchObject({ status: what === 'spin' ? 'timeout' : 'error', input: what })
    expect(record.error.kind).toBe(error.details.kind)
    expect(record).not.toHaveProperty('output')
  })

  test('prints is heard by nobody: its answer counts', async () => {
    const folder = await copy()
    writeFiles(folder, {
      'prints.py':
        'import sys\nprint("loaded")\ndef execute(text):\n    print("noise")\n    sys.stderr.write("noise")\n    return text\n',
    })
    await succeed(folder, ['add', APP, 'prints.py'])
    const run = await loopai(folder, ['exec', `${APP}@v2`, '"quiet"'])
    expect(run).toEqual({ status: 0, stdout: '"quiet"\n', stderr: '' })
  })

  test.each([
    [
      'reads.py',
      `
import os
def execute(text):
    try:
        return os.read(77, 100).decode() or 'nothing'
    except OSError:
        return 'nothing'
`,
    ],
    [
      'reads.js',
      `
import { readFileSync } from 'node:fs'
export function execute() {
  try {
    return readFileSync(77, 'utf8') || 'nothing'
  } catch {
    return 'nothing'
  }
}
`,
    ],
  ])('reads a descriptor that its caller has left open finds nothing there (%s)', async (name, code) => {
    const folder = await copy()
    writeFiles(folder, { [name]: code, secret: 'a secret' })
    await succeed(folder, ['add', APP, name])
    const secret = openSync(path.join(folder, 'secret'), 'r')
    const stdio: StdioOptions = Array.from({ length: 78 }, (_, number) => (number < 3 ? 'pipe' : 'ignore'))
    stdio[77] = secret
    const args = [BIN, 'exec', `${APP}@v2`, '"x"']
    const child = spawn(process.execPath, args, { cwd: folder, env: environment({}), stdio })
    closeSync(secret)
    expect(await text(child.stdout!)).toBe('"nothing"\n')
  })

  test('puts terminal escapes into a message cannot paint the terminal', async () => {
    const folder = await copy()
    const { stderr } = await loopai(folder, ['exec', APP, '"escape"'])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/)
    expect(stderr).toContain('red')
  })
})

describe('an input that', () => {
  test.each([
    ['is empty', '', 'MISSING_VALUE', 'the input is empty'],
    [
      'has an integer that is too large',
      '{"id": 12345678901234567890}',
      'INVALID_JSON',
      'is larger than 2^53',
    ],
    ['is not JSON', 'hello', 'INVALID_JSON', 'the input is not JSON'],
    ['is several documents', '"a"\n"b"\n', 'INVALID_JSON', 'several JSON documents'],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'FILE_UNREADABLE', 'standard input is not valid UTF-8'],
  ])('%s is a usage error with a hint, and leaves no record', async (_, input, code, message) => {
    const folder = await copy()
    const before = traces(path.join(folder, 'loopai-data'))
    const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '--json'], { input })
    expect([status, stdout]).toEqual([2, ''])
    const { error } = JSON.parse(stderr)
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.hint).toBeTruthy()
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
  })

  test('does not fit is exit 6 with JSON pointers, runs nothing, and its record holds nothing of it', async () => {
    const folder = await copy()
    const { status, stderr } = await loopai(folder, ['exec', APP, '{"secret": 1}', '--json'])
    expect(status).toBe(6)
    const { error } = JSON.parse(stderr)
    expect(error.message).toBe('the input does not fit: it must be string')
    expect(error.details).toMatchObject({ kind: 'invalid_input', pointers: [''], recorded: true })
    const [record] = recordsOf(folder)
    expect(record.error.kind).toBe('invalid_input')
    expect(JSON.stringify(record)).not.toContain('secret')
  })

  test('is larger than limits.input_kb does not fit', async () => {
    const folder = await copy()
    const input = JSON.stringify('x'.repeat(1024 * 1024))
    const { status, stderr } = await loopai(folder, ['exec', APP], { input })
    expect(status).toBe(6)
    expect(stderr).toContain('it is larger than 1024 KiB')
  })

  test('is given twice, or flags that do not go together, are refused', async () => {
    const folder = await copy()
    const refusals = [
      [['"a"', '--file', 'x'], 'the input is given twice'],
      [['"a"', '--jsonl'], '--jsonl reads lines from standard input or --file'],
      [['"a"', '--skip', '3'], '--skip goes with --jsonl'],
      [['--jsonl', '--raw'], '--raw prints one string'],
      [['--timeout', '0'], 'It has to be a whole number from 1 on'],
    ] as const
    for (const [args, message] of refusals) {
      const { status, stderr } = await loopai(folder, ['exec', APP, ...args], { input: '"a"' })
      expect([status, stderr]).toEqual([2, expect.stringContaining(message)])
    }
  })
})

test('an app that is not there, or has no active version, is named before the input is read', async () => {
  const folder = await copy()
  await succeed(folder, ['create', 'empty-001', '--template', 'blank'])
  const refusals = [
    [`misbehav-001`, 'there is no Loop App misbehav-001', 'did you mean misbehave-001?'],
    ['empty-001', 'empty-001 has no active version', 'loopai generate empty-001'],
    [`${APP}@v7`, `${APP} has no v7`, 'it has v1'],
    [`${APP}@previous`, 'nothing was active before v1', `loopai show ${APP}`],
    [`${APP}@sha256:00000000`, 'no version with the digest sha256:00000000', `loopai show ${APP}`],
  ]
  for (const [address, message, hint] of refusals) {
    const { status, stdout, stderr } = await loopai(folder, ['exec', address!])
    expect([status, stdout]).toEqual([4, ''])
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  }
})

test('a record has the fields that the format promises', async () => {
  const folder = await copy()
  const reply = JSON.parse(await succeed(folder, ['exec', APP, '"hello"', '--json']))
  const files = readdirSync(path.join(appOf(folder), 'datasets', 'executions'))
  const [record] = recordsOf(folder)
  expect(files).toEqual([`${record.timestamp.slice(0, 10)}.jsonl`])
  expect(record).toEqual({
    execution_id: reply.execution_id,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    loop_app_id: APP,
    version: 1,
    digest: reply.digest,
    input: 'hello',
    output: 'hello',
    status: 'success',
    latency_ms: expect.any(Number),
    sampled_for_validation: expect.any(Boolean),
    sampling_probability: 0.05,
    source: 'cli',
    sandbox: expect.stringMatching(/^(bubblewrap|landlock)$/),
  })
  expect(Object.keys(reply).sort()).toEqual([
    'digest',
    'execution_id',
    'latency_ms',
    'loop_app_id',
    'output',
    'recorded',
    'sampled_for_validation',
    'status',
    'version',
  ])
})

describe('what a record keeps of an execution', () => {
  test('with record: metadata is neither input nor output nor what the program said', async () => {
    const folder = await copy()
    appendFileSync(path.join(appOf(folder), 'config.yaml'), 'privacy: {record: metadata}\n')
    await succeed(folder, ['exec', APP, '"private"'])
    await loopai(folder, ['exec', APP, '"raise"'])
    const [answered, failed] = recordsOf(folder)
    for (const record of [answered, failed]) {
      expect(record).not.toHaveProperty('input')
      expect(record).not.toHaveProperty('output')
    }
    expect(failed.error).toEqual({ kind: 'program_error', message: '' })
  })

  test('with record: off, or --no-record, is nothing, and the reply says so', async () => {
    const folder = await copy()
    const unasked = JSON.parse(await succeed(folder, ['exec', APP, '"a"', '--no-record', '--json']))
    expect(unasked.recorded).toBe(false)
    appendFileSync(path.join(appOf(folder), 'config.yaml'), 'privacy: {record: off}\n')
    const forbidden = JSON.parse(await succeed(folder, ['exec', APP, '"a"', '--json']))
    expect(forbidden.recorded).toBe(false)
    expect(existsSync(path.join(appOf(folder), 'datasets', 'executions'))).toBe(false)
  })

  test('leaves out redacted properties', async () => {
    const folder = await copy()
    writeFiles(folder, { 'first.py': 'def execute(message):\n    return message["text"]\n' })
    const config = path.join(appOf(folder), 'config.yaml')
    const changed = readFileSync(config, 'utf8').replace('type: string', 'type: object')
    writeFiles(appOf(folder), { 'config.yaml': `${changed}privacy: {redact: [sender]}\n` })
    writeFiles(folder, { 'first.py': 'def execute(message):\n    return message.get("text", "")\n' })
    await succeed(folder, ['add', APP, 'first.py'])
    await succeed(folder, ['exec', `${APP}@v2`, '{"text": "hi", "sender": "ada@example.com"}'])
    expect(recordsOf(folder)[0].input).toEqual({ text: 'hi', sender: '[redacted]' })
  })
})

test('a version that was edited is not run, and git is named as the way back', async () => {
  const folder = await copy()
  appendFileSync(path.join(appOf(folder), 'artifacts', 'v1', 'misbehave.py'), '# harmless\n')
  const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '"a"'])
  expect([status, stdout]).toEqual([7, ''])
  expect(stderr).toContain(`v1 of ${APP} is not what its digest says: misbehave.py was changed`)
  expect(stderr).toContain(`git -C loopai-data/loop-apps/${APP} checkout HEAD -- artifacts/v1 `)
})
