import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { fixtureProgram } from '../helpers/apps.ts'
import { loopai, prepared, succeed, traces, writeFiles } from '../helpers/cli.ts'

const APP = 'colour-001'
const rows = (count: number, label: (i: number) => string) =>
  Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ input: `text ${i}`, output: label(i) })}\n`,
  ).join('')

const EXAMPLES = `loopai-data/loop-apps/${APP}/datasets/examples/rows.jsonl`
const IMPURE = 'n = 0\ndef execute(x):\n  global n\n  n += 1\n  return "red" if n == 1 else "green"\n'

const copy = prepared(folder =>
  succeed(folder, [
    ...['create', APP, '--task', 'Which colour?'],
    ...['--input-schema', '{"type": "string"}', '--output-schema', '{"enum": ["red", "green"]}'],
  ]),
)

describe('generate refuses', () => {
  test.each<[string, string[], string, number, string[]]>([
    [
      'examples of one label only',
      [],
      rows(9, () => 'red'),
      2,
      ['have the label "red"', 'add examples of "green"'],
    ],
    [
      'examples that do not fit, by line',
      [],
      rows(3, i => (i === 1 ? 'blue' : 'red')),
      2,
      ['rows.jsonl: 1 row does not fit', 'rows.jsonl:2: output must be one of "red", "green"'],
    ],
    [
      'a generator that it does not know',
      ['--generator', 'lern'],
      '',
      2,
      ['no generator lern', 'did you mean learn?'],
    ],
    ['an empty file', [], '', 2, ['rows.jsonl has no rows']],
  ])('%s, and leaves nothing behind', async (_, args, content, expected, parts) => {
    const folder = await copy()
    writeFiles(folder, { 'rows.jsonl': content })
    const before = traces(path.join(folder, 'loopai-data'))
    const { status, stdout, stderr } = await loopai(folder, [
      'generate',
      APP,
      '--examples',
      'rows.jsonl',
      ...args,
    ])
    expect([status, stdout]).toEqual([expected, ''])
    for (const part of [...parts, 'hint: ']) expect(stderr).toContain(part)
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
  })
})

test('a skeleton is not written with --dry-run, nor with flags that it has no use for', async () => {
  const folder = await copy()
  const template = ['generate', APP, '--generator', 'template']
  expect(await succeed(folder, [...template, '--dry-run'])).toMatch(/^a skeleton would be written to /)
  const { status, stderr } = await loopai(folder, [...template, '--hybrid'])
  expect([status, stderr]).toEqual([2, expect.stringContaining('--hybrid is for --generator llm')])
  expect(existsSync(path.join(folder, 'loopai-data/loop-apps', APP, 'draft'))).toBe(false)
})

test('contradictory examples are reported, and --dry-run registers nothing', async () => {
  const folder = await copy()
  const contradiction = '{"input":"text 0","output":"green"}\n'
  writeFiles(folder, { 'rows.jsonl': rows(20, i => (i % 2 === 0 ? 'red' : 'green')) + contradiction })
  const before = traces(path.join(folder, 'loopai-data'))
  const args = ['generate', APP, '--examples', 'rows.jsonl', '--dry-run']
  const { status, stdout, stderr } = await loopai(folder, args)
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^sha256:[0-9a-f]{64} would become a new version/),
  ])
  expect(stderr).toContain('contradict each other')
  expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
})

describe('add refuses a program that', () => {
  test.each<[string, Record<string, string>, number, string]>([
    ['has a syntax error', { 'p.py': 'def execute(x)\n  return "red"\n' }, 6, 'SyntaxError'],
    ['imports what is not there', { 'p.py': 'import nowhere\n' }, 6, "No module named 'nowhere'"],
    ['has no entry point', { 'p.py': 'x = 1\n' }, 6, 'p.py defines no execute(input_data)'],
    [
      'gives other answers each time',
      { 'p.py': IMPURE, [EXAMPLES]: rows(9, () => 'red') },
      6,
      'not a pure function',
    ],
    [
      'answers what does not fit',
      { 'p.py': 'def execute(x):\n  return "blue"\n' },
      6,
      'must be one of "red", "green"',
    ],
    ['is not there', {}, 2, 'does not exist'],
    ['is a folder without it', { 'p.py/other.txt': 'x' }, 2, 'program.py is not among the files (other.txt)'],
  ])('%s, and leaves nothing behind', async (_, files, expected, message) => {
    const folder = await copy()
    writeFiles(folder, files)
    const before = traces(path.join(folder, 'loopai-data'))
    const { status, stdout, stderr } = await loopai(folder, ['add', APP, 'p.py'])
    expect([status, stdout]).toEqual([expected, ''])
    expect(stderr).toContain(message)
    expect(stderr).toContain('hint: ')
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
  })
})

test('add takes the files of another version, and knows a program that it has', async () => {
  const folder = await copy()
  writeFiles(folder, { 'p.py': 'def execute(x):\n  return "red"\n' })
  expect(await succeed(folder, ['add', APP, 'p.py'])).toBe(`added ${APP} v1\n`)
  expect(await succeed(folder, ['add', APP, '--from', `${APP}@v1`])).toBe(
    `${APP} v1 is this program already\n`,
  )
  const { status, stderr } = await loopai(folder, ['add', APP])
  expect(status).toBe(2)
  expect(stderr).toContain('there is no draft to add')
  expect((await loopai(folder, ['add', APP, fixtureProgram('sleep-forever.py')])).status).toBe(6)
})
