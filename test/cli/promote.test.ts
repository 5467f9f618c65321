import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loopai, prepared, readLines, succeed, traces, writeFiles } from '../helpers/cli.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

const APP = 'size-001'
const answering = (expression: string) => `def execute(n):\n  return ${expression}\n`
/** Numbers in letters, since figures do not tell texts apart. */
const text = (n: number) =>
  `${n < 100 ? 'small' : 'large'} ${[...String(n)].map(digit => 'abcdefghij'[Number(digit)]).join('')}`
const row = (n: number) => `{"input":"${text(n)}","output":"${n < 100 ? 'small' : 'large'}"}\n`
const CASES = `{"id":"least","input":"${text(0)}","output":"small"}\n{"id":"most","input":"${text(199)}","output":"large"}\n`

/** v1 is right and active, v2 is right too, v3 fails a golden case and the target. */
const copy = prepared(async folder => {
  writeFiles(folder, {
    'rows.jsonl': Array.from({ length: 200 }, (_, n) => row(n)).join(''),
    'right.py': answering('"small" if "small" in n else "large"'),
    'also.py': answering('"large" if "large" in n else "small"'),
    'wrong.py': answering('"small"'),
  })
  await succeed(folder, ['create', APP, '--examples', 'rows.jsonl', '--task', 'How large?'])
  writeFiles(folder, { [`loopai-data/loop-apps/${APP}/tests/cases.jsonl`]: CASES })
  runGit(path.join(folder, 'loopai-data'), 'commit', '--quiet', '--all', '--message', 'golden cases')
  for (const program of ['right', 'also', 'wrong']) await succeed(folder, ['add', APP, `${program}.py`])
  await succeed(folder, ['promote', APP, 'v1'])
})
const dataOf = (folder: string) => path.join(folder, 'loopai-data')
const historyOf = (folder: string) => readLines(path.join(dataOf(folder), 'loop-apps', APP, 'history.jsonl'))

describe('the gate', () => {
  test('refuses a worse version, says why, and changes nothing', async () => {
    const folder = await copy()
    const before = traces(dataOf(folder))
    const tested = await loopai(folder, ['test', `${APP}@v3`])
    expect([tested.status, tested.stdout]).toEqual([3, expect.stringMatching(/fail\n$/)])
    expect(tested.stdout).toContain('most: expected "large", got "small"')
    const { status, stdout, stderr } = await loopai(folder, ['promote', APP, 'v3'])
    expect([status, stdout]).toEqual([3, ''])
    expect(stderr).toContain(`v3 of ${APP} is not promoted`)
    expect(stderr).toContain('golden cases: 1 of 2 golden cases are right; wrong: most')
    expect(stderr).toContain('target: held-out accuracy')
    expect(stderr).toContain('compared with v1: -')
    expect(stderr).toContain('--force -m "why"')
    expect(traces(dataOf(folder))).toEqual(before)
  })

  test('does not judge without rows that git has', async () => {
    const folder = await copy()
    rmSync(path.join(dataOf(folder), 'loop-apps', APP, 'tests', 'cases.jsonl'))
    const { status, stderr } = await loopai(folder, ['promote', APP, 'v3'])
    expect([status, stderr]).toEqual([7, expect.stringContaining('cases.jsonl is missing, and the gate')])
    const restore = /restore it with: git (.*?) {3}or/.exec(stderr)![1]!
    runGit(folder, ...restore.split(' '))
    expect(await loopai(folder, ['promote', APP, 'v3'])).toMatchObject({ status: 3 })
  })

  test('goes by the metric of the target', async () => {
    const folder = await copy()
    const config = path.join(dataOf(folder), 'loop-apps', APP, 'config.yaml')
    const more = 'targets: {metric: macro_f1, accuracy: 0.9}\n'
    writeFileSync(config, readFileSync(config, 'utf8') + more)
    const target = async (version: string) =>
      JSON.parse((await loopai(folder, ['test', `${APP}@${version}`, '--json'])).stdout).checks[1]
    expect(await target('v2')).toMatchObject({
      outcome: 'pass',
      message: 'held-out macro-F1 1.000, target 0.9',
    })
    expect(await target('v3')).toMatchObject({
      outcome: 'fail',
      message: expect.stringMatching(/macro-F1 0\.[23]/),
    })
  })

  test('goes by how near amounts come, which are rarely hit', async () => {
    const folder = temporaryFolder()
    const rows = Array.from({ length: 80 }, (_, n) => `${50 + 3 * n}.5,${n % 5},${1000 + 7 * n}\n`)
    writeFiles(folder, { 'prices.csv': `area,rooms,price\n${rows.join('')}` })
    await succeed(folder, ['create', 'price-001', '--examples', 'prices.csv', '--label', 'price'])
    await succeed(folder, ['generate', 'price-001'])
    const { stdout, stderr } = await loopai(folder, ['promote', 'price-001'])
    expect(stdout).toBe('promoted price-001 v1\n')
    expect(stderr).toMatch(/✓ target: held-out R² 0\.9\d+, target 0\.5/)
  })

  test('is overruled by --force with a reason, which the history keeps', async () => {
    const folder = await copy()
    const without = await loopai(folder, ['promote', APP, 'v3', '--force'])
    expect([without.status, without.stderr]).toEqual([2, expect.stringContaining('--force needs a reason')])
    const forced = await succeed(folder, ['promote', APP, 'v3', '--force', '-m', 'an experiment'])
    expect(forced).toBe(`promoted ${APP} v1 -> v3 (forced)\n`)
    expect(historyOf(folder).at(-1)).toMatchObject({
      op: 'promote',
      from: 1,
      to: 3,
      reason: 'an experiment',
      forced: true,
      by: 'Ada <ada@example.com>',
      via: 'cli',
    })
    expect(runGit(dataOf(folder), 'log', '-1', '--format=%b')).toContain('an experiment')
    expect(runGit(dataOf(folder), 'status', '--porcelain')).toBe('')
  })

  test('says with --dry-run what it would do, and does nothing', async () => {
    const folder = await copy()
    const before = traces(dataOf(folder))
    expect(await succeed(folder, ['promote', APP, 'v2', '--dry-run'])).toBe(`would promote ${APP} v1 -> v2\n`)
    const refused = await loopai(folder, ['promote', APP, 'v3', '--dry-run', '--json'])
    expect(refused.status).toBe(3)
    expect(JSON.parse(refused.stdout)).toMatchObject({ from: 1, to: 3, outcome: 'fail', commit: null })
    expect(traces(dataOf(folder))).toEqual(before)
  })

  test('asks for less with --min, and for other cases with --cases', async () => {
    const folder = await copy()
    writeFiles(folder, { 'cases.jsonl': '{"input":"small a","output":"large"}\n' })
    const { status, stdout } = await loopai(folder, ['test', APP, '--cases', 'cases.jsonl', '--json'])
    expect(status).toBe(3)
    expect(JSON.parse(stdout).score.cases).toMatchObject({ total: 1 })
    expect((await loopai(folder, ['test', `${APP}@v2`, '--min', '50%'])).status).toBe(0)
    expect((await loopai(folder, ['test', `${APP}@v2`, '--min', '2'])).status).toBe(2)
  })
})

describe('promote', () => {
  test('--expect holds only while the expected version is active', async () => {
    const folder = await copy()
    const before = traces(dataOf(folder))
    const stale = await loopai(folder, ['promote', APP, 'v2', '--expect', 'none', '--json'])
    expect([stale.status, stale.stdout]).toEqual([5, ''])
    expect(JSON.parse(stale.stderr).error).toMatchObject({
      code: 'CONFLICT',
      details: { expected: 'none', active: 1 },
    })
    expect(traces(dataOf(folder))).toEqual(before)
    expect((await loopai(folder, ['promote', APP, 'v2', '--expect', 'latest'])).status).toBe(2)
    expect(await succeed(folder, ['promote', APP, 'v2', '--expect', 'v1'])).toContain('v1 -> v2')
  })

  test('takes a digest, and refuses a version that is not committed or was edited', async () => {
    const folder = await copy()
    const { digest } = JSON.parse(await succeed(folder, ['show', `${APP}@v2`, '--json']))
    const named = await succeed(folder, ['promote', APP, digest.slice(0, 20), '--dry-run'])
    expect(named).toBe(`would promote ${APP} v1 -> v2\n`)
    const program = path.join(dataOf(folder), 'loop-apps', APP, 'artifacts', 'v2', 'also.py')
    writeFileSync(program, answering('"small"'))
    const edited = await loopai(folder, ['promote', APP, 'v2'])
    expect([edited.status, edited.stdout]).toEqual([7, ''])
    expect(edited.stderr).toMatch(/hint: /)
    rmSync(path.dirname(program), { recursive: true })
    const gone = await loopai(folder, ['promote', APP, 'v2'])
    expect([gone.status, gone.stderr]).toEqual([4, expect.stringContaining('it has v1, v3')])
  })
})

describe('rollback', () => {
  test('--keep-good marks nothing, and --to names the version', async () => {
    const folder = await copy()
    await succeed(folder, ['promote', APP, 'v2'])
    const back = JSON.parse(await succeed(folder, ['rollback', APP, '--keep-good', '--json']))
    expect(back).toMatchObject({ from: 2, to: 1, marked: null, changed: true })
    expect(historyOf(folder).at(-1)).not.toHaveProperty('mark')
    const to = await succeed(folder, ['rollback', APP, '--to', 'v3'])
    expect(to).toBe(`rolled back ${APP} v1 -> v3; v1 is marked bad\n`)
    expect(historyOf(folder).at(-1)).toMatchObject({ op: 'rollback', mark: 'bad', hold: true })
  })

  test('without anything to go back to is exit 4, and says what there is', async () => {
    const folder = await copy()
    const { status, stderr } = await loopai(folder, ['rollback', APP])
    expect(status).toBe(4)
    expect(stderr).toContain(`nothing was active before v1 of ${APP}`)
    expect(stderr).toContain(`loopai rollback ${APP} --to v3`)
  })
})

test('a data directory inside a larger repository leaves the rest of it alone', async () => {
  const outer = temporaryFolder()
  runGit(outer, 'init', '--quiet')
  writeFiles(outer, { 'readme.txt': 'one\n' })
  runGit(outer, 'add', '.')
  runGit(outer, 'commit', '--quiet', '--message', 'first')
  writeFiles(outer, { 'readme.txt': 'two\n', 'staged.txt': 'x\n', 'p.py': answering('"small"') })
  runGit(outer, 'add', 'staged.txt')
  const before = runGit(outer, 'status', '--porcelain').split('\n')
  await succeed(outer, ['create', 'size-002', '--template', 'blank'])
  writeFiles(outer, { 'q.py': 'def execute(x):\n  return "question"\n' })
  const inside = path.join(outer, 'loopai-data', 'loop-apps', 'size-002')
  await succeed(inside, ['add', 'size-002', path.join(outer, 'q.py')])
  await succeed(inside, ['promote', 'size-002', '-C', path.join(outer, 'loopai-data')])
  expect(await succeed(inside, ['exec', 'size-002', '{"text": "Why?"}', '--raw'])).toBe('question\n')
  expect(runGit(outer, 'status', '--porcelain').split('\n').sort()).toEqual([...before, '?? q.py'].sort())
  const changed = runGit(outer, 'log', '--name-only', '--format=', 'HEAD~4..').split('\n').filter(Boolean)
  expect(changed.every(name => name.startsWith('loopai-data/'))).toBe(true)
  expect(readFileSync(path.join(outer, 'readme.txt'), 'utf8')).toBe('two\n')
})
