import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { misbehaving } from '../helpers/apps.ts'
import { BIN, environment, loopai, parseLines, readLines } from '../helpers/cli.ts'

const APP = 'misbehave-001'
const copy = misbehaving()
const MIXED = '\ufeff"a"\r\nnope\r\n\r\n"raise"\r\n5\r\n"b"'

test('every line is answered in its place, failing ones with their reason, and the exit status is 6', async () => {
  const folder = await copy()
  const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '--jsonl'], { input: MIXED })
  expect(status).toBe(6)
  expect(parseLines(stdout)).toEqual([
    'a',
    { index: 1, error: { kind: 'invalid_input', message: expect.stringContaining('not JSON') } },
    { index: 3, error: { kind: 'program_error', message: expect.stringContaining('no good') } },
    { index: 4, error: expect.objectContaining({ kind: 'invalid_input', pointers: [''] }) },
    'b',
  ])
  expect(stderr).toMatch(/^5 lines: 2 answered, 3 failed/)
})

test('a line with a number that would become another one is not run', async () => {
  const input = '"12345678901234567890"\n12345678901234567890\n'
  const { stdout } = await loopai(await copy(), ['exec', APP, '--jsonl'], { input })
  const message = '12345678901234567890 is larger than 2^53 and would be changed; write it as a string'
  expect(parseLines(stdout)).toEqual([
    '12345678901234567890',
    { index: 1, error: { kind: 'invalid_input', message } },
  ])
})

test('slow lines are handed on and recorded while later ones run', async () => {
  const folder = await copy()
  const args = ['exec', APP, '--jsonl', '--concurrency', '1', '--timeout', '200']
  const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: environment({}) })
  child.stdin.end('"spin"\n'.repeat(60))
  const [first] = await once(child.stdout, 'data')
  expect(parseLines(String(first))[0]).toMatchObject({ index: 0, error: { kind: 'timeout' } })
  child.kill('SIGKILL')
  await once(child, 'close')
  const executions = path.join(folder, 'loopai-data', 'loop-apps', APP, 'datasets', 'executions')
  const records = readdirSync(executions).flatMap(file => readLines(path.join(executions, file)))
  expect(records.length).toBeGreaterThanOrEqual(parseLines(String(first)).length)
  expect(records.length).toBeLessThan(60)
})

test('a file in UTF-16 is one error, and no line of it is answered', async () => {
  const folder = await copy()
  const file = path.join(folder, 'lines.jsonl')
  writeFileSync(file, Buffer.from('"a"\n"b"\n', 'utf16le'))
  const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '--jsonl', '--file', file])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain('lines.jsonl looks like UTF-16\nhint: convert it with: iconv -f UTF-16LE -t UTF-8')
})

test('with --json every line is a whole reply, and records are marked as a batch', async () => {
  const folder = await copy()
  const { stdout } = await loopai(folder, ['exec', APP, '--jsonl', '--json', '--quiet'], { input: MIXED })
  const replies = parseLines(stdout)
  expect(replies.map(reply => reply.index)).toEqual([0, 1, 3, 4, 5])
  expect(replies[0]).toMatchObject({ output: 'a', status: 'success', recorded: true, version: 1 })
  const executions = path.join(folder, 'loopai-data', 'loop-apps', APP, 'datasets', 'executions')
  const records = readdirSync(executions).flatMap(file => readLines(path.join(executions, file)))
  expect(records.map(record => record.source)).toEqual(['batch', 'batch', 'batch', 'batch'])
  const ids = replies.flatMap(reply => reply.execution_id ?? [])
  expect(new Set(records.map(record => record.execution_id))).toEqual(new Set(ids))
})

test('--skip leaves out lines without changing what the others are called; --fail-fast stops at the first failure', async () => {
  const folder = await copy()
  const skipped = await loopai(folder, ['exec', APP, '--jsonl', '--skip', '4'], { input: MIXED })
  expect(parseLines(skipped.stdout)).toEqual([expect.objectContaining({ index: 4 }), 'b'])
  const failed = await loopai(folder, ['exec', APP, '--jsonl', '--fail-fast'], { input: MIXED })
  expect(failed.status).toBe(6)
  expect(parseLines(failed.stdout)).toEqual(['a', expect.objectContaining({ index: 1 })])
  const rest = await loopai(folder, ['exec', APP, '--jsonl', '--skip', '5', '--fail-fast'], { input: MIXED })
  expect([rest.status, rest.stdout]).toEqual([0, '"b"\n'])
})

test('twenty thousand lines on two processes come back in their order', async () => {
  const folder = await copy()
  const input = Array.from({ length: 20_000 }, (_, i) => `"line ${i}"\n`).join('')
  const args = ['exec', APP, '--jsonl', '--concurrency', '2', '--no-record']
  const { status, stdout } = await loopai(folder, args, { input })
  expect(status).toBe(0)
  expect(stdout).toBe(input)
})

test('a line of 200 MB fails in its place and does not fill the memory', async () => {
  const folder = await copy()
  const file = path.join(folder, 'long.jsonl')
  // Holes cost no disk: the line is 200 MB of zeros.
  const handle = openSync(file, 'w')
  writeSync(handle, '"a"\n')
  writeSync(handle, '\n"b"\n', 200 * 1024 * 1024)
  closeSync(handle)
  const env = { NODE_OPTIONS: '--max-old-space-size=64' }
  const { status, stdout } = await loopai(folder, ['exec', APP, '--jsonl', '--file', 'long.jsonl'], { env })
  expect(status).toBe(6)
  expect(parseLines(stdout)).toEqual([
    'a',
    { index: 1, error: { kind: 'invalid_input', message: 'the line is longer than 64 MB' } },
    'b',
  ])
})

test('nothing in is nothing out', async () => {
  const folder = await copy()
  const { status, stdout } = await loopai(folder, ['exec', APP, '--jsonl'], { input: '\n\n' })
  expect([status, stdout]).toEqual([0, ''])
})

test('a file that is not there is said at once', async () => {
  const folder = await copy()
  const { status, stderr } = await loopai(folder, ['exec', APP, '--jsonl', '--file', 'nope.jsonl'])
  expect(status).toBe(2)
  expect(stderr).toContain('nope.jsonl does not exist')
  expect(stderr).toContain(`the path begins at ${folder}`)
})

test('a reader who has seen enough is no error', async () => {
  const folder = await copy()
  const bin = path.resolve(import.meta.dirname, '../../bin/loopai.js')
  const script = `yes '"line"' | head -n 200000 | "$0" "$1" exec ${APP} --jsonl --no-record --quiet | head -n 1`
  const child = spawn('bash', ['-o', 'pipefail', '-c', script, process.execPath, bin], { cwd: folder })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => said.push(chunk))
  await new Promise(resolve => child.on('close', resolve))
  expect(Buffer.concat(said).toString()).toBe('"line"\n')
})
