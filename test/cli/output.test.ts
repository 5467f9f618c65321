import path from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/commands/index.ts'
import { misbehaving } from '../helpers/apps.ts'
import { loopai, succeed } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/repository.ts'

const APP = 'misbehave-001'
const copy = misbehaving()

test('loopai alone, --help and help are the same, and name every command', async () => {
  const folder = temporaryFolder()
  const help = await succeed(folder, ['--help'])
  expect(await succeed(folder, [])).toBe(help)
  expect(await succeed(folder, ['help'])).toBe(help)
  for (const name of Object.keys(COMMANDS)) expect(help).toContain(`\n  ${name}`)
  expect(await succeed(folder, ['help', 'exec'])).toBe(await succeed(folder, ['exec', '--help']))
  expect(await succeed(folder, ['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.each<[string[], string, string]>([
  [['lst'], "unknown command 'lst'", 'did you mean list?'],
  [['list', '--stat', 'x'], "unknown option '--stat'", 'did you mean --state?'],
  [['exec'], "missing required argument 'app[@version]'", 'loopai exec --help shows what it takes'],
  [['exec', APP, '1', '2'], 'too many arguments', 'loopai exec --help'],
  [['log', '--since', 'soon'], 'It has to be a date', 'loopai log --help'],
  [['exec', `${APP}@`], '"" is not a version', 'write v3, 3, active'],
])('a slip of the keyboard is exit 2 with a hint: %j', async (args, message, hint) => {
  const { status, stdout, stderr } = await loopai(temporaryFolder(), args)
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect(stderr).toContain(`hint: `)
  expect(stderr).toContain(hint)
  const asJson = await loopai(temporaryFolder(), [...args, '--json'])
  expect([asJson.status, asJson.stdout]).toEqual([2, ''])
  expect(asJson.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(JSON.parse(asJson.stderr).error).toMatchObject({ message: expect.stringContaining(message) })
})

test('with --json every command prints one document, and nothing is said beside it', async () => {
  const folder = await copy()
  const documents: [string[], object | object[]][] = [
    [['init'], { root: path.join(folder, 'loopai-data'), changed: false, commit: null }],
    [
      ['create', 'a-001', '--template', 'blank'],
      { loop_app_id: 'a-001', template: 'blank', examples: 0, cases: 0 },
    ],
    [
      ['list'],
      [
        { loop_app_id: 'a-001', state: 'draft' },
        { loop_app_id: APP, active_version: 1, state: 'active' },
      ],
    ],
    [['show', APP], { loop_app_id: APP, active_version: 1, endpoint: `/loop-apps/${APP}/execute` }],
    [['show', `${APP}@v1`], { version: 1, status: 'active', parent: null, entry: 'misbehave.py' }],
    [['generate', 'a-001', '--generator', 'template'], { changed: true, version: null, commit: null }],
    [['add', APP, '--from', `${APP}@v1`], { version: 1, changed: false }],
    [['test', APP], { version: 1, outcome: 'pass' }],
    [['promote', APP], { to: 1, changed: false }],
    [['rollback', APP, '--to', '1'], { to: 1, changed: false }],
    [['exec', APP, '"a"'], { output: 'a', status: 'success' }],
  ]
  for (const [args, expected] of documents) {
    const { stdout, stderr } = await loopai(folder, [...args, '--json'])
    expect(JSON.parse(stdout)).toMatchObject(expected)
    expect([args[0], stderr]).toEqual([args[0], ''])
  }
})

test('with --quiet only what a script needs is printed', async () => {
  const folder = await copy()
  const words: [string[], string][] = [
    [['init'], `${folder}/loopai-data\n`],
    [['create', 'a-001', '--template', 'blank'], 'a-001\n'],
    [['list'], `a-001\n${APP}\n`],
    [['add', APP, '--from', `${APP}@v1`], 'v1\n'],
    [['test', APP], 'pass\n'],
    [['promote', APP], 'v1\n'],
    [['show', APP, '--path'], `${folder}/loopai-data/loop-apps/${APP}\n`],
  ]
  for (const [args, expected] of words) {
    expect(await loopai(folder, [...args, '--quiet'])).toEqual({ status: 0, stdout: expected, stderr: '' })
  }
})

test('hints about the next step, colours and progress are for terminals only', async () => {
  const folder = await copy()
  const { stdout, stderr } = await loopai(folder, ['create', 'spam-detector-001'])
  expect(stdout + stderr).not.toContain('next:')
  const failed = await loopai(folder, ['exec', 'nope'])
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape is what must not be there
  expect(failed.stderr + stdout + stderr).not.toMatch(/\x1b/)
})

test('the data directory is the named one, LOOPAI_DIR, the one around, or ./loopai-data', async () => {
  const folder = await copy()
  const data = path.join(folder, 'loopai-data')
  const elsewhere = temporaryFolder()
  for (const run of [
    loopai(elsewhere, ['list', '-q', '-C', data]),
    loopai(elsewhere, ['list', '-q'], { env: { LOOPAI_DIR: data } }),
    loopai(path.join(data, 'loop-apps', APP, 'artifacts'), ['list', '-q']),
    loopai(folder, ['list', '-q']),
  ]) {
    expect((await run).stdout).toBe(`${APP}\n`)
  }
  const none = await loopai(elsewhere, ['list'])
  expect([none.status, none.stderr]).toEqual([4, expect.stringContaining('hint: make one with: loopai init')])
  const other = await loopai(elsewhere, ['list', '-C', elsewhere])
  expect([other.status, other.stderr]).toEqual([4, expect.stringContaining('it has no loopai.yaml')])
})

test('--no-commit leaves git alone', async () => {
  const folder = await copy()
  const created = JSON.parse(
    await succeed(folder, ['create', 'a-001', '--template', 'blank', '--no-commit', '--json']),
  )
  expect(created.commit).toBeNull()
  expect(await succeed(folder, ['show', 'a-001', '--quiet'])).toBe('a-001\n')
})
