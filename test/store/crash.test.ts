import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOrigin, expectConsistent, write } from '../helpers/data-directory.ts'
import { eachStep, hasStopped, runWriter, startWriter } from '../helpers/processes.ts'
import { runGit } from '../helpers/repository.ts'

let origin: Awaited<ReturnType<typeof createOrigin>>
beforeAll(async () => {
  origin = await createOrigin()
})
afterAll(() => origin.remove())

describe.each([
  { args: ['create', 'b'], steps: 9 },
  { args: ['add', 'a', 'three'], steps: 11 },
  { args: ['promote', 'a', '2'], steps: 12 },
  { args: ['rollback', 'a', '2'], steps: 12 },
  { args: ['contested', 'a'], steps: 12 },
])('a process killed at any step of $args', ({ args, steps }) => {
  test('leaves nothing that the next command does not finish or take back', {
    timeout: 120_000,
  }, async () => {
    const killed = await eachStep(async number => {
      const root = origin.copy()
      const before = runGit(root, 'rev-parse', 'HEAD')
      const crashed = await runWriter(root, args, { env: { LOOPAI_STOP_AT: `${number}:SIGKILL` } })
      await write(root, number % 2 ? ['nothing', 'a'] : ['add', 'a', `after ${number}`])
      expectConsistent(root, before)
      rmSync(root, { recursive: true })
      return crashed.signal === 'SIGKILL'
    })
    expect(killed).toBeGreaterThanOrEqual(steps)
  })
})

test('on a file system without hard links, a crash is recovered from as well', {
  timeout: 120_000,
}, async () => {
  const script = `import fs from 'node:fs/promises'; import { syncBuiltinESMExports } from 'node:module'
    fs.link = async () => { throw Object.assign(new Error('no links'), { code: 'ENOTSUP' }) }; syncBuiltinESMExports()`
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` }
  const killed = await eachStep(async number => {
    const root = origin.copy()
    const before = runGit(root, 'rev-parse', 'HEAD')
    const stop = { ...env, LOOPAI_STOP_AT: `${number}:SIGKILL` }
    const crashed = await runWriter(root, ['promote', 'a', '2'], { env: stop })
    await write(root, ['nothing', 'a'], env)
    expectConsistent(root, before)
    return crashed.signal === 'SIGKILL'
  })
  expect(killed).toBeGreaterThanOrEqual(12)
})

test.each([
  ['a write that landed', 'landed'],
  ['a write that did not land', 'references locked'],
])('a process killed while it recovers from %s is recovered from', { timeout: 120_000 }, async (_, point) => {
  const killed = await eachStep(async number => {
    const root = origin.copy()
    const before = runGit(root, 'rev-parse', 'HEAD')
    await runWriter(root, ['add', 'a', 'three'], { env: { LOOPAI_STOP_AT: `${point}:SIGKILL` } })
    const recovering = await runWriter(root, ['nothing', 'a'], {
      env: { LOOPAI_STOP_AT: `${number}:SIGKILL` },
    })
    await write(root, ['nothing', 'a'])
    expectConsistent(root, before)
    return recovering.signal === 'SIGKILL'
  })
  expect(killed).toBeGreaterThanOrEqual(3)
})

test.skipIf(process.platform !== 'linux').each(['references locked', 'told to land'])(
  'what a kill of git and the writer together leaves at %s is cleared away',
  async point => {
    const root = origin.copy()
    const before = runGit(root, 'rev-parse', 'HEAD')
    const env = { LOOPAI_STOP_AT: `${point}:SIGSTOP` }
    const { child, ended } = startWriter(root, ['promote', 'a', '2'], { env, detached: true })
    expect(await hasStopped(child.pid!)).toBe(true)
    process.kill(-child.pid!, 'SIGKILL')
    await ended
    await write(root, ['nothing', 'a'])
    expectConsistent(root, before)
  },
)

test('without a commit, a crash leaves the link and the history of before or after', {
  timeout: 120_000,
}, async () => {
  const killed = await eachStep(async number => {
    const root = origin.copy()
    const env = { NO_COMMIT: '1', LOOPAI_STOP_AT: `${number}:SIGKILL` }
    const crashed = await runWriter(root, ['promote', 'a', '2'], { env })
    await write(root, ['nothing', 'a'])
    const link = readlinkSync(path.join(root, 'loop-apps/a/artifacts/active'))
    const history = readFileSync(path.join(root, 'loop-apps/a/history.jsonl'), 'utf8').trimEnd().split('\n')
    expect(`v${JSON.parse(history.at(-1)!).to}`).toBe(link)
    expect(existsSync(path.join(root, '.git/loopai/journal.json'))).toBe(false)
    expect(runGit(root, 'log', '--format=%s', '-1')).toBe('a: promote v1')
    return crashed.signal === 'SIGKILL'
  })
  expect(killed).toBeGreaterThanOrEqual(5)
})

test('from the moment that HEAD moves, the index has what HEAD has: a commit of the user takes nothing away', async () => {
  const root = origin.copy()
  await runWriter(root, ['add', 'a', 'three'], { env: { LOOPAI_STOP_AT: 'landed:SIGKILL' } })
  expect(runGit(root, 'diff', '--cached', '--name-only')).toBe('theirs.txt')
  expect(runGit(root, 'log', '--format=%s', '-1')).toBe('a: add v3')
})

test('a folder that was claimed before a crash and not touched since is taken back', async () => {
  const root = origin.copy()
  await runWriter(root, ['create', 'b'], { env: { LOOPAI_STOP_AT: 'references locked:SIGKILL' } })
  expect(existsSync(path.join(root, 'loop-apps/b/config.yaml'))).toBe(true)
  expect(await write(root, ['nothing', 'a'])).toBe('"took back what a crash had interrupted: b: create"\n')
  expect(existsSync(path.join(root, 'loop-apps/b'))).toBe(false)
})

test('the next command says what it did about a crash', async () => {
  const root = origin.copy()
  await runWriter(root, ['promote', 'a', '2'], { env: { LOOPAI_STOP_AT: 'landed:SIGKILL' } })
  expect(await write(root, ['nothing', 'a'])).toBe(
    '"finished what a crash had interrupted: a: promote v1 -> v2"\n',
  )
  await runWriter(root, ['rollback', 'a', '1'], { env: { LOOPAI_STOP_AT: 'index locked:SIGKILL' } })
  expect(await write(root, ['nothing', 'a'])).toBe(
    '"took back what a crash had interrupted: a: rollback v2 -> v1"\n',
  )
})

test('what landed before a crash and was reverted since is not put in place', async () => {
  const root = origin.copy()
  const history = path.join(root, 'loop-apps/a/history.jsonl')
  const link = path.join(root, 'loop-apps/a/artifacts/active')
  await runWriter(root, ['promote', 'a', '2'], { env: { LOOPAI_STOP_AT: 'landed:SIGKILL' } })
  rmSync(path.join(root, '.git/index.lock'))
  runGit(root, 'reset', '-q', '--hard')
  expect(readlinkSync(link)).toBe('v2')
  runGit(root, 'revert', '--no-edit', 'HEAD')
  await write(root, ['nothing', 'a'])
  expect(readlinkSync(link)).toBe('v1')
  expect(readFileSync(history, 'utf8').trimEnd()).toBe(runGit(root, 'show', `HEAD:loop-apps/a/history.jsonl`))
  expect(runGit(root, 'status', '--porcelain', '--untracked-files=all')).toBe('')
})

describe('what the user has changed since a crash stays as it is', () => {
  const app = 'loop-apps/a'
  const mine = '{"mine":true}\n'
  const edits: Record<string, (root: string) => unknown> = {
    'history.jsonl': root => writeFileSync(path.join(root, app, 'history.jsonl'), mine),
    'artifacts/active': root => {
      rmSync(path.join(root, app, 'artifacts/active'))
      symlinkSync('v9', path.join(root, app, 'artifacts/active'))
    },
  }

  test.each([
    ['history.jsonl', {}],
    ['artifacts/active', {}],
    ['history.jsonl', { NO_COMMIT: '1' }],
    ['artifacts/active', { NO_COMMIT: '1' }],
  ])('%s, and the rest is put in place (%o)', async (name, env) => {
    const root = origin.copy()
    const point = 'NO_COMMIT' in env ? 'journal written' : 'landed'
    await runWriter(root, ['promote', 'a', '2'], { env: { ...env, LOOPAI_STOP_AT: `${point}:SIGKILL` } })
    edits[name]!(root)
    expect(await write(root, ['nothing', 'a'])).toBe(
      `"finished what a crash had interrupted: a: promote v1 -> v2; left in place, since it was changed meanwhile: ${app}/${name}"\n`,
    )
    const history = readFileSync(path.join(root, app, 'history.jsonl'), 'utf8')
    const link = readlinkSync(path.join(root, app, 'artifacts/active'))
    if (name === 'history.jsonl') expect([history, link]).toEqual([mine, 'v2'])
    else expect([JSON.parse(history.trimEnd().split('\n').at(-1)!).to, link]).toEqual([2, 'v9'])
    expect(await write(root, ['nothing', 'a'])).toBe('"nothing to do"\n')
  })
})

describe('what was claimed before a crash stays in place when the user has since', () => {
  const crashed = async (args: string[]) => {
    const root = origin.copy()
    const { signal } = await runWriter(root, args, { env: { LOOPAI_STOP_AT: 'references locked:SIGKILL' } })
    expect(signal).toBe('SIGKILL')
    rmSync(path.join(root, '.git/index.lock'))
    return root
  }
  const app = 'loop-apps/b'
  const version = 'loop-apps/a/artifacts/v3'

  test.each<[string, (root: string) => unknown]>([
    ['put a file in it', root => writeFileSync(path.join(root, app, 'notes.txt'), 'mine')],
    ['put an ignored file in it', root => writeFileSync(path.join(root, app, '.tmp-notes'), 'mine')],
    ['put a link in it', root => symlinkSync('/dev/null/nowhere', path.join(root, app, 'link'))],
    ['changed a file of it', root => writeFileSync(path.join(root, app, 'config.yaml'), 'mine')],
    ['staged it', root => runGit(root, 'add', app)],
    ['committed it', root => [runGit(root, 'add', app), runGit(root, 'commit', '-qm', 'mine')]],
  ])('%s', async (_, change) => {
    const root = await crashed(['create', 'b'])
    change(root)
    const listed = () => readdirSync(path.join(root, app), { recursive: true }).sort()
    const before = listed()
    const said = JSON.parse(await write(root, ['nothing', 'a']))
    expect(said).toBe(
      `took back what a crash had interrupted: b: create; left in place, since it was changed meanwhile: ${app}`,
    )
    expect(listed()).toEqual(before)
    expect(await write(root, ['nothing', 'a'])).toBe('"nothing to do"\n')
    expect(listed()).toEqual(before)
  })

  test('changed one of several: the others belong to it', async () => {
    const root = await crashed(['add', 'a', 'three'])
    writeFileSync(path.join(root, version, 'program.py'), 'mine')
    expect(await write(root, ['nothing', 'a'])).toContain(
      `meanwhile: ${version}, loop-apps/a/datasets/examples/`,
    )
    expect(readFileSync(path.join(root, version, 'program.py'), 'utf8')).toBe('mine')
    expect(await write(root, ['add', 'a', 'other'])).toBe('[4]\n')
  })
})

test('a number that was visible before a crash is not used again', async () => {
  const root = origin.copy()
  await runWriter(root, ['add', 'a', 'three'], { env: { LOOPAI_STOP_AT: 'references locked:SIGKILL' } })
  expect(existsSync(path.join(root, 'loop-apps/a/artifacts/v3'))).toBe(true)
  await write(root, ['promote', 'a', '2'])
  expect(existsSync(path.join(root, 'loop-apps/a/artifacts/v3'))).toBe(false)
  expect(await write(root, ['add', 'a', 'other'])).toBe('[4]\n')
  expect(await write(root, ['add', 'a', 'more'])).toBe('[5]\n')
})
