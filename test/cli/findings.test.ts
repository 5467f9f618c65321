import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loopai, prepared, succeed, writeFiles } from '../helpers/cli.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

const APP = 'size-001'

/** A data directory with an app of one version, which is active and in the branch `base` too. */
const copy = prepared(async folder => {
  await succeed(folder, ['init', '.'])
  writeFiles(folder, { 'program.py': 'def execute(n):\n  return "question"\n' })
  await succeed(folder, ['create', APP, '--template', 'blank'])
  await succeed(folder, ['add', APP, 'program.py'])
  await succeed(folder, ['promote', APP, 'v1', '--force', '-m', 'a test'])
  rmSync(path.join(folder, 'program.py'))
  runGit(folder, 'branch', 'base')
})
const fileOf = (folder: string, name: string) => path.join(folder, 'loop-apps', APP, name)
const edit = (folder: string) => appendFileSync(fileOf(folder, 'artifacts/v1/program.py'), '# edited\n')

describe('check', () => {
  test('says that everything is sound, with exit status 0', async () => {
    const folder = await copy()
    expect(await loopai(folder, ['check', '--base', 'base'])).toEqual({
      status: 0,
      stdout: '1 version of 1 Loop App is sound\n',
      stderr: '',
    })
    expect(await succeed(folder, ['check', '--quiet'])).toBe('pass\n')
    expect(JSON.parse(await succeed(folder, ['check', '--json']))).toEqual({
      outcome: 'pass',
      base: null,
      apps: 1,
      versions: 1,
      findings: [],
    })
  })

  test('has a fix for each finding, and exit status 3', async () => {
    const folder = await copy()
    edit(folder)
    const { status, stdout, stderr } = await loopai(folder, ['check', '--base', 'base'])
    expect([status, stderr]).toEqual([3, ''])
    expect(stdout.split('\n')).toEqual([
      `✗ v1 of ${APP} is not what its digest says: program.py was changed`,
      expect.stringMatching(
        /^ {2}fix: versions are immutable: git -C loop-apps\/size-001 checkout HEAD -- artifacts\/v1 /,
      ),
      `✗ v1 of ${APP} is immutable, but program.py was modified`,
      expect.stringMatching(/^ {2}fix: restore it from git/),
      '2 findings in 1 version of 1 Loop App',
      '',
    ])
    const json = await loopai(folder, ['check', '--base', 'base', '--json'])
    expect(json.status).toBe(3)
    expect(JSON.parse(json.stdout)).toMatchObject({
      outcome: 'fail',
      base: 'base',
      findings: [
        { kind: 'version', loop_app_id: APP },
        { kind: 'edited', loop_app_id: APP },
      ],
    })
    expect(await loopai(folder, ['check', '--quiet'])).toMatchObject({ status: 3, stdout: 'fail\n' })
  })

  test('appends its summary to a file as Markdown', async () => {
    const folder = await copy()
    const summary = path.join(temporaryFolder(), 'summary.md')
    writeFileSync(summary, 'before\n')
    await succeed(folder, ['check', '--summary', summary])
    symlinkSync('/nowhere', fileOf(folder, 'datasets'))
    expect((await loopai(folder, ['check', '--summary', summary])).status).toBe(3)
    expect(readFileSync(summary, 'utf8')).toBe(
      [
        'before',
        '### loopai check: 1 version of 1 Loop App is sound\n\nNothing to object to.\n',
        '### loopai check: 1 finding in 1 version of 1 Loop App\n',
        '| finding | what to do |\n|---|---|',
        `| ${APP} has symbolic links beside the active one: datasets | put the files or folders themselves there |\n\n`,
      ].join('\n'),
    )
  })

  test.each([
    ['a base that git does not know', ['--base', 'nowhere'], 2, /git knows no commit nowhere/],
    ['a base that looks like an option', ['--base=--all'], 2, /git knows no commit --all/],
    ['an argument', [APP], 2, /too many arguments/],
    ['a summary that cannot be written', ['--summary', '/nowhere/summary.md'], 8, /\/nowhere\/summary\.md/],
  ])('refuses %s', async (_, args, status, message) => {
    const result = await loopai(await copy(), ['check', ...args])
    expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) })
    expect(result.stderr).not.toMatch(/^\s+at /m)
  })

  test('refuses a folder that is no data directory', async () => {
    expect(await loopai(temporaryFolder(), ['check'])).toMatchObject({ status: 4 })
  })
})

describe('doctor', () => {
  test('tells about this machine, and that nothing is wrong', async () => {
    const folder = await copy()
    const { status, stdout } = await loopai(folder, ['doctor'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^node +\d+\.\d+\.\d+\ngit +2\.\d+/)
    expect(stdout).toMatch(/\nnothing is wrong\n$/)
    const diagnosis = JSON.parse(await succeed(folder, ['doctor', '--json']))
    expect(diagnosis).toMatchObject({ node: process.versions.node, root: folder, findings: [], fixed: [] })
    expect(await succeed(folder, ['doctor', '--quiet'])).toBe('')
  })

  test('ends with 7 when there are findings, and with 0 once --fix has mended them', async () => {
    const folder = await copy()
    rmSync(path.join(folder, '.gitignore'))
    runGit(folder, 'commit', '-qam', 'no rules')
    const ill = await loopai(folder, ['doctor'])
    expect([ill.status, ill.stdout]).toEqual([7, expect.stringContaining('✗ .gitignore lacks the rules')])
    expect(ill.stdout).toContain('  fix: loopai doctor --fix adds them\n')
    const fixed = await loopai(folder, ['doctor', '--fix'])
    expect([fixed.status, fixed.stdout]).toEqual([0, expect.stringContaining('✓ mended: .gitignore lacks')])
    expect(await loopai(folder, ['doctor', '--quiet'])).toMatchObject({ status: 0, stdout: '' })
  })

  test('leaves to a person what might lose something', async () => {
    const folder = await copy()
    edit(folder)
    const { status, stdout } = await loopai(folder, ['doctor', '--fix', '--json'])
    expect(status).toBe(7)
    expect(JSON.parse(stdout)).toMatchObject({ fixed: [], findings: [{ kind: 'version' }] })
  })

  test('refuses an option that it does not know', async () => {
    expect(await loopai(await copy(), ['doctor', '--fixx'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('did you mean --fix?'),
    })
  })
})

describe('trust', () => {
  const asking = async () => {
    const folder = await copy()
    const command = '\ngenerator: {use: command, command: [my-agent, "\\e[31m"]}\n'
    appendFileSync(fileOf(folder, 'config.yaml'), command)
    return { folder, env: { LOOPAI_CONFIG_DIR: temporaryFolder() } }
  }

  test('has nothing to ask where nothing asks', async () => {
    const folder = await copy()
    expect(await succeed(folder, ['trust'])).toBe('nothing is asked\n')
    expect(JSON.parse(await succeed(folder, ['trust', APP, '--json']))).toEqual({ agreed: [], known: [] })
  })

  test('shows what is asked and agrees to nothing when nobody can be asked', async () => {
    const { folder, env } = await asking()
    const { status, stdout, stderr } = await loopai(folder, ['trust'], { env })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`${APP} asks to run ["my-agent","\\u001b[31m"] on this machine`)
    expect(stderr).toContain('agree with: loopai trust --yes')
    expect((await loopai(folder, ['trust'], { env })).status).toBe(2)
  })

  test('agrees with --yes, once, and asks again when it is another command', async () => {
    const { folder, env } = await asking()
    expect(await succeed(folder, ['trust', '--yes'], { env })).toMatch(/^agreed: size-001 asks to run/)
    expect(await succeed(folder, ['trust'], { env })).toBe('all that is asked was agreed to before\n')
    const config = readFileSync(fileOf(folder, 'config.yaml'), 'utf8')
    writeFileSync(fileOf(folder, 'config.yaml'), config.replace('my-agent', 'your-agent'))
    expect((await loopai(folder, ['trust'], { env })).status).toBe(2)
    const agreed = await succeed(folder, ['trust', '--yes', '--json'], { env })
    expect(JSON.parse(agreed)).toMatchObject({
      agreed: [{ loop_app_id: APP, trusted: true, ask: { kind: 'command' } }],
      known: [],
    })
  })

  test.each([
    ['an app that does not exist', ['trust', 'nobody-001'], 4, /there is no Loop App nobody-001/],
    ['what is no id', ['trust', '../x'], 2, /\.\.\/x/],
  ])('refuses %s', async (_, args, status, message) => {
    const result = await loopai(await copy(), args)
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(message) })
  })
})

test('remove needs a yes in scripts, and does not ask about what cannot be removed', async () => {
  const folder = await copy()
  for (const flags of [[], ['--yes']]) {
    expect((await loopai(folder, ['remove', `${APP}@v1`, ...flags])).stderr).toContain('it is active')
  }
  expect((await loopai(folder, ['remove', `${APP}@v7`])).status).toBe(4)
  writeFiles(folder, { 'other.py': 'def execute(n):\n  return "statement"\n' })
  await succeed(folder, ['add', APP, 'other.py'])
  const { status, stderr } = await loopai(folder, ['remove', `${APP}@v2`])
  expect([status, stderr]).toEqual([2, expect.stringContaining(`loopai remove ${APP}@v2 --yes`)])
})

test('resume says that there is nothing to be active', async () => {
  const folder = await copy()
  await succeed(folder, ['create', 'new-001', '--template', 'blank'])
  await succeed(folder, ['archive', 'new-001'])
  expect(await succeed(folder, ['resume', 'new-001'])).toBe('new-001 is a draft without active version now\n')
})

test('list says of a broken app what is wrong, and what to do', async () => {
  const folder = await copy()
  rmSync(fileOf(folder, 'artifacts/active'))
  const shown = await succeed(folder, ['list'])
  expect(shown).toMatch(
    / broken +artifacts\/active of size-001 is missing, .*; restore it with: git -C .* checkout HEAD -- /,
  )
  expect(JSON.parse(await succeed(folder, ['list', '--json']))).toMatchObject([
    { state: 'broken', fix: expect.stringContaining('git -C ') },
  ])
})
