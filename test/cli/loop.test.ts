import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loopai, parseLines, prepared, readLines, succeed, traces, writeFiles } from '../helpers/cli.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

const APP = 'spam-detector-001'
const WON = '{"text": "Congratulations, you have won a free prize! Click here to claim your cash now."}'
const MORE = 'text,label\n"Lunch at noon, as usual?",ham\n"Claim your free cruise, reply WIN",spam\n'

/** The template's app with a first version that is active. */
const promoted = prepared(async folder => {
  await succeed(folder, ['create', APP])
  await succeed(folder, ['generate', APP])
  await succeed(folder, ['promote', APP])
})

test('from an empty folder to an answer takes four commands', async () => {
  const folder = await promoted()
  const data = path.join(folder, 'loopai-data')
  expect(await succeed(folder, ['exec', APP, WON])).toBe('"spam"\n')
  expect(readlinkSync(path.join(data, 'loop-apps', APP, 'artifacts', 'active'))).toBe('v1')
  expect(runGit(data, 'status', '--porcelain', '--untracked-files=all')).toBe('')
})

test('the input comes from a pipe, an argument or a file, and --raw prints a string bare', async () => {
  const folder = await promoted()
  writeFiles(folder, { 'message.json': `\ufeff${WON}\r\n` })
  expect(await succeed(folder, ['exec', APP], { input: WON })).toBe('"spam"\n')
  expect(await succeed(folder, ['exec', APP, '--file', 'message.json'])).toBe('"spam"\n')
  expect(await succeed(folder, ['exec', APP, WON, '--raw'])).toBe('spam\n')
})

test('with more examples comes a second version, and rollback goes back to the first and marks the second bad', async () => {
  const folder = await promoted()
  const data = path.join(folder, 'loopai-data')
  writeFiles(folder, { 'more.csv': MORE })
  expect(await succeed(folder, ['generate', APP, '--examples', 'more.csv'])).toBe(`added ${APP} v2\n`)
  expect(await succeed(folder, ['test', APP])).toMatch(/^spam-detector-001 v2\n.*pass\n$/s)
  expect(await succeed(folder, ['promote', APP, 'v2', '-m', 'more mail'])).toBe(`promoted ${APP} v1 -> v2\n`)
  expect(await succeed(folder, ['rollback', APP, '-m', 'too eager'])).toBe(
    `rolled back ${APP} v2 -> v1; v2 is marked bad\n`,
  )
  expect(runGit(data, 'status', '--porcelain', '--untracked-files=all')).toBe('')

  expect(runGit(data, 'log', '--reverse', '--format=%s').split('\n')).toEqual([
    'loopai: init',
    `${APP}: create`,
    `${APP}: add v1`,
    `${APP}: promote v1`,
    `${APP}: add v2`,
    `${APP}: promote v1 -> v2`,
    `${APP}: rollback v2 -> v1`,
  ])
  const message = runGit(data, 'log', '-1', '--format=%B', 'HEAD~1')
  expect(message).toMatch(
    /^spam-detector-001: promote v1 -> v2\n\nmore mail\n\nLoopai-App: spam-detector-001\nLoopai-Op: promote\nLoopai-Version: v2\nLoopai-From: v1\nLoopai-Digest: sha256:[0-9a-f]{64}$/,
  )
  const flip = runGit(data, 'show', '--name-only', '--format=', 'HEAD').split('\n')
  expect(flip).toEqual([`loop-apps/${APP}/artifacts/active`, `loop-apps/${APP}/history.jsonl`])
  const birth = runGit(data, 'show', '--name-only', '--format=', 'HEAD~2').split('\n')
  expect(birth).toEqual([
    `loop-apps/${APP}/artifacts/v2/manifest.json`,
    `loop-apps/${APP}/artifacts/v2/model.json`,
    `loop-apps/${APP}/artifacts/v2/program.py`,
    expect.stringMatching(/datasets\/examples\/more-[0-9a-f]{8}\.jsonl$/),
  ])

  const entries = parseLines(await succeed(folder, ['log', APP, '--json']))
  expect(entries.map(({ op, from, to }) => [op, from, to])).toEqual([
    ['rollback', 2, 1],
    ['promote', 1, 2],
    ['generate', 1, 2],
    ['promote', null, 1],
    ['generate', null, 1],
  ])
  const shown = await succeed(folder, ['show', APP])
  expect(shown).toMatch(/^v1 +active /m)
  expect(shown).toMatch(/^v2 +bad /m)
})

test('what is done already succeeds, says so and commits nothing', async () => {
  const folder = await promoted()
  const data = path.join(folder, 'loopai-data')
  const before = traces(data)
  expect(JSON.parse(await succeed(folder, ['init', '--json']))).toMatchObject({
    changed: false,
    commit: null,
  })
  const again = JSON.parse(await succeed(folder, ['generate', APP, '--json']))
  expect(again).toMatchObject({ changed: false, version: 1, commit: null })
  const flip = JSON.parse(await succeed(folder, ['promote', APP, '--json']))
  expect(flip).toMatchObject({ changed: false, to: 1, commit: null })
  const back = JSON.parse(await succeed(folder, ['rollback', APP, '--to', 'v1', '--json']))
  expect(back).toMatchObject({ changed: false, to: 1, marked: null, commit: null })
  expect(traces(data)).toEqual(before)
})

test('a clone of depth 1 executes, tests and promotes', async () => {
  const folder = await promoted()
  writeFiles(folder, { 'more.csv': MORE })
  await succeed(folder, ['generate', APP, '--examples', 'more.csv'])
  const clone = path.join(temporaryFolder(), 'clone')
  runGit(folder, 'clone', '--quiet', '--depth', '1', `file://${path.join(folder, 'loopai-data')}`, clone)
  expect(await succeed(clone, ['exec', APP, WON])).toBe('"spam"\n')
  expect(await succeed(clone, ['test', APP, '--quiet'])).toBe('pass\n')
  expect(await succeed(clone, ['promote', APP])).toBe(`promoted ${APP} v1 -> v2\n`)
  expect(runGit(clone, 'status', '--porcelain')).toBe('')
})

test('lines through exec --jsonl agree with what test says', async () => {
  const folder = await promoted()
  const file = path.join(folder, 'loopai-data', 'loop-apps', APP, 'datasets', 'examples', 'examples.jsonl')
  const rows = readLines(file)
  writeFileSync(path.join(folder, 'cases.jsonl'), readFileSync(file))
  const input = rows.map(row => `${JSON.stringify(row.input)}\n`).join('')
  const answers = parseLines(await succeed(folder, ['exec', APP, '--jsonl'], { input }))
  const right = rows.filter((row, i) => row.output === answers[i]).length
  const { stdout } = await loopai(folder, ['test', APP, '--cases', 'cases.jsonl', '--min', '0', '--json'])
  expect(JSON.parse(stdout).score.cases).toMatchObject({ right, total: rows.length })
})
