import { readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { log } from '../../src/actions/log.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { promote } from '../../src/actions/promote.ts'
import { rollback } from '../../src/actions/rollback.ts'
import { show } from '../../src/actions/show.ts'
import { sync } from '../../src/actions/sync.ts'
import { createWorkspace, type Workspace } from '../../src/actions/workspace.ts'
import { predecessor } from '../../src/domain/history.ts'
import { readHistory } from '../../src/store/history.ts'
import { succeed } from '../helpers/cli.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

interface Clone {
  root: string
  workspace: Workspace
}

/** Two clones of a repository with an app of three versions, the third of which is active. */
async function twoClones(): Promise<{ a: Clone; b: Clone }> {
  const first = temporaryFolder()
  await makeApp(first, ID, 'one', 'two', 'three')
  const shared = path.join(temporaryFolder(), 'shared.git')
  runGit(first, 'clone', '-q', '--bare', first, shared)
  const clone = (): Clone => {
    const root = path.join(temporaryFolder(), 'clone')
    runGit(first, 'clone', '-q', shared, root)
    return { root, workspace: createWorkspace({ cwd: root, dir: root, env: {} }) }
  }
  return { a: clone(), b: clone() }
}

async function digestOf({ workspace }: Clone, version: number): Promise<string> {
  const shown = await show(workspace, `${ID}@v${version}`)
  return 'version' in shown ? shown.version.digest : ''
}

const head = ({ root }: Clone) => runGit(root, 'rev-parse', 'HEAD')

describe('two clones that both made v4 and both promoted it', () => {
  test('come together, and nobody loses anything', async () => {
    const { a, b } = await twoClones()
    for (const [clone, text] of [
      [a, 'four of a'],
      [b, 'four of b'],
    ] as const) {
      await addVersion(clone.workspace, ID, text)
      await activateVersion(clone.workspace, ID, 4)
    }
    await addVersion(b.workspace, ID, 'five of b')
    const [ofA, ofB, fifth] = [await digestOf(a, 4), await digestOf(b, 4), await digestOf(b, 5)]
    expect(await sync(a.workspace)).toMatchObject({ ahead: 2, behind: 0, pushed: true, apps: [] })

    writeFileSync(path.join(b.root, 'theirs.txt'), 'staged\n')
    runGit(b.root, 'add', 'theirs.txt')
    const planned = await sync(b.workspace, { dryRun: true })
    expect(planned.apps).toMatchObject([{ renumbered: [{ from: 4, to: 6 }], not_promoted: 6, active: 4 }])
    expect(planned).toMatchObject({ pulled: false, pushed: false, commit: null })
    expect(await digestOf(b, 4)).toBe(ofB)

    const synced = await sync(b.workspace)
    expect(synced.apps).toEqual([
      {
        loop_app_id: ID,
        renumbered: [{ from: 4, to: 6, digest: ofB }],
        shared: [],
        active: 4,
        not_promoted: 6,
      },
    ])
    expect(synced).toMatchObject({ pulled: true, pushed: true, commit: head(b) })
    expect([await digestOf(b, 4), await digestOf(b, 5), await digestOf(b, 6)]).toEqual([ofA, fifth, ofB])
    expect(readlinkSync(path.join(b.root, 'loop-apps', ID, 'artifacts/active'))).toBe('v4')
    expect(runGit(b.root, 'status', '--porcelain')).toBe('A  theirs.txt')
    expect(runGit(b.root, 'log', '-1', '--format=%B')).toContain(`${ID}: v6 is not promoted, upstream has v4`)
    expect(runGit(b.root, 'fsck', '--no-dangling')).toBe('')

    expect(await sync(a.workspace)).toMatchObject({ pulled: true, pushed: false, behind: 4 })
    expect(head(a)).toBe(head(b))
    expect(await check(a.workspace, {})).toMatchObject({ findings: [], versions: 6 })

    const births = (await log(a.workspace, { app: ID, op: 'add' })).map(({ to, former_numbers }) => [
      to,
      former_numbers,
    ])
    expect(new Map(births as [number, number[]][])).toEqual(
      new Map<number, unknown>([...[1, 2, 3, 4, 5].map(to => [to, undefined] as const), [6, [4]]]),
    )
    expect(await succeed(a.root, ['log', ID, '--op', 'add'])).toMatch(/^.* add +v6 .*was v4 before a sync$/m)

    const { app } = await openApp(a.workspace, ID)
    const history = await readHistory(app)
    expect(history.map(({ op, from, to, overruled }) => [op, from, to, overruled])).toEqual([
      ['promote', null, 1, undefined],
      ['promote', 1, 2, undefined],
      ['promote', 2, 3, undefined],
      ['promote', 3, 4, undefined],
      ['promote', 3, 6, true],
    ])
    expect(predecessor(history, 4, () => true)).toBe(3)
  })

  test('and the same program are one version', async () => {
    const { a, b } = await twoClones()
    for (const { workspace } of [a, b]) await addVersion(workspace, ID, 'the same')
    await sync(a.workspace)
    expect((await sync(b.workspace)).apps).toMatchObject([{ renumbered: [], shared: [4] }])
    expect(runGit(b.root, 'diff', '--name-only', 'HEAD^2', 'HEAD')).toBe('')
  })
})

test('a promotion that only we have made stays', async () => {
  const { a, b } = await twoClones()
  await addVersion(a.workspace, ID, 'four')
  await sync(a.workspace)
  await addVersion(b.workspace, ID, 'four of b')
  await activateVersion(b.workspace, ID, 4)
  expect((await sync(b.workspace)).apps).toMatchObject([
    { renumbered: [{ from: 4, to: 5 }], active: 5, not_promoted: null },
  ])
  expect(readlinkSync(path.join(b.root, 'loop-apps', ID, 'artifacts/active'))).toBe('v5')
  const manifest = JSON.parse(
    readFileSync(path.join(b.root, 'loop-apps', ID, 'artifacts/v5/manifest.json'), 'utf8'),
  )
  expect(manifest).toMatchObject({ version: 5, parent: 3 })
})

describe('a promotion that is sent', () => {
  test('arrives, also when somebody has sent something else meanwhile', async () => {
    const { a, b } = await twoClones()
    await addVersion(a.workspace, ID, 'four of a')
    await sync(a.workspace)
    const promoted = await promote(b.workspace, { address: `${ID}@v2`, push: true })
    expect(promoted).toMatchObject({ from: 3, to: 2, pushed: expect.stringMatching(/^origin\//) })
    await sync(a.workspace)
    expect(readlinkSync(path.join(a.root, 'loop-apps', ID, 'artifacts/active'))).toBe('v2')
  })

  test('is refused when another version was promoted there', async () => {
    const { a, b } = await twoClones()
    await activateVersion(a.workspace, ID, 1)
    await sync(a.workspace)
    await expect(promote(b.workspace, { address: `${ID}@v2`, push: true })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/has promoted v1 meanwhile/),
    })
  })

  test('may go to a branch of its own, where it is one link and one line', async () => {
    const { a } = await twoClones()
    const before = runGit(a.root, 'rev-parse', '@{upstream}')
    const branch = `loopai/${ID}`
    expect(await promote(a.workspace, { address: `${ID}@v2`, branch })).toMatchObject({
      pushed: `origin/${branch}`,
    })
    expect(runGit(a.root, 'ls-remote', 'origin', branch)).toContain(head(a))
    expect(runGit(a.root, 'diff', '--name-only', before, head(a)).split('\n')).toEqual([
      `loop-apps/${ID}/artifacts/active`,
      `loop-apps/${ID}/history.jsonl`,
    ])
    expect(runGit(a.root, 'rev-parse', '@{upstream}')).toBe(before)
  })
})

describe('a rollback that is sent', () => {
  test('arrives together with what others have sent', async () => {
    const { a, b } = await twoClones()
    await addVersion(a.workspace, ID, 'four of a')
    await sync(a.workspace)
    const back = await rollback(b.workspace, { app: ID, push: true })
    expect(back).toMatchObject({ from: 3, to: 2, pushed: expect.stringMatching(/^origin\//) })
    await sync(a.workspace)
    expect(readlinkSync(path.join(a.root, 'loop-apps', ID, 'artifacts/active'))).toBe('v2')
  })

  test('is done here also when it cannot be sent, and says so', async () => {
    const { b } = await twoClones()
    runGit(b.root, 'remote', 'set-url', 'origin', path.join(b.root, 'nowhere'))
    await expect(rollback(b.workspace, { app: ID, push: true })).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringMatching(/v2 of spam-detector-001 is active here, and was not sent$/),
    })
    expect(readlinkSync(path.join(b.root, 'loop-apps', ID, 'artifacts/active'))).toBe('v2')
  })
})

test('--pull sends nothing', async () => {
  const { a, b } = await twoClones()
  await addVersion(a.workspace, ID, 'four')
  await sync(a.workspace)
  await addVersion(b.workspace, ID, 'other')
  expect(await sync(b.workspace, { pull: true })).toMatchObject({ pulled: true, pushed: false })
  expect(runGit(b.root, 'rev-list', '--count', '@{upstream}..HEAD')).toBe('2')
  expect(await sync(b.workspace)).toMatchObject({ behind: 0, pushed: true })
})

test.each(['false', 'true'])(
  'a change of the user that would be lost stops it, and nothing moves, with merge.autostash %s',
  async autostash => {
    const { a, b } = await twoClones()
    runGit(b.root, 'config', 'merge.autostash', autostash)
    const config = `loop-apps/${ID}/config.yaml`
    writeFileSync(path.join(a.root, config), `${readFileSync(path.join(a.root, config), 'utf8')}# more\n`)
    runGit(a.root, 'commit', '-qam', 'config')
    await sync(a.workspace)
    writeFileSync(path.join(b.root, config), 'unsaved\n')
    const before = head(b)
    await expect(sync(b.workspace)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `${config} has changes that are not committed`,
    })
    expect(head(b)).toBe(before)
    expect(readFileSync(path.join(b.root, config), 'utf8')).toBe('unsaved\n')
  },
)

test('a token in the address of a remote is in no sentence and no commit', async () => {
  const { a, b } = await twoClones()
  const shared = runGit(a.root, 'remote', 'get-url', 'origin')
  const url = 'https://user:s3cret@git.example/shared'
  for (const [{ root, workspace }, text] of [
    [a, 'four of a'],
    [b, 'four of b'],
  ] as const) {
    runGit(root, 'config', `url.${shared}.insteadOf`, url)
    runGit(root, 'config', 'branch.main.remote', url)
    await addVersion(workspace, ID, text)
    expect((await sync(workspace)).upstream).toBe('https://git.example/shared/main')
  }
  expect(runGit(b.root, 'log', '--format=%B')).toContain('loopai: sync with https://git.example/shared/main')
  expect(runGit(b.root, 'log', '--format=%B')).not.toContain('s3cret')
  const branch = { address: `${ID}@v2`, push: true, branch: 'other' }
  expect((await promote(b.workspace, branch)).pushed).toBe('https://git.example/shared/other')

  runGit(b.root, 'config', '--unset', `url.${shared}.insteadOf`)
  runGit(b.root, 'config', 'branch.main.remote', 'file://user:s3cret@/nowhere')
  const error = await sync(b.workspace).catch(error => error)
  expect(error).toMatchObject({ code: 'REMOTE_FAILED' })
  expect(inspect(error, { depth: 9 })).not.toContain('s3cret')
})

test('what an editor fetches meanwhile is not taken for upstream, and nothing is left of a fetch', async () => {
  const { a, b } = await twoClones()
  await addVersion(a.workspace, ID, 'four')
  await sync(a.workspace)
  const fetchHead = path.join(b.root, '.git/FETCH_HEAD')
  writeFileSync(fetchHead, 'of an editor\n')
  await sync(b.workspace)
  expect(head(b)).toBe(head(a))
  expect(readFileSync(fetchHead, 'utf8')).toBe('of an editor\n')
  expect(runGit(b.root, 'for-each-ref', 'refs/loopai')).toBe('')
})

test('another git command that holds the index is waited for', async () => {
  const { a, b } = await twoClones()
  await addVersion(a.workspace, ID, 'four')
  await sync(a.workspace)
  const lock = path.join(b.root, '.git/index.lock')
  writeFileSync(lock, '')
  setTimeout(() => rmSync(lock), 500)
  expect(await sync(b.workspace)).toMatchObject({ pulled: true })
  expect(head(b)).toBe(head(a))
})

test('lines that both sides changed are for a person to merge', async () => {
  const { a, b } = await twoClones()
  for (const [{ root }, text] of [
    [a, 'a'],
    [b, 'b'],
  ] as const) {
    writeFileSync(path.join(root, 'README.md'), text)
    runGit(root, 'add', '.')
    runGit(root, 'commit', '-qm', text)
  }
  await sync(a.workspace)
  const before = head(b)
  await expect(sync(b.workspace)).rejects.toMatchObject({
    code: 'CONFLICT',
    hint: expect.stringMatching(/by hand/),
  })
  expect([head(b), runGit(b.root, 'status', '--porcelain')]).toEqual([before, ''])
})

test('no remote, no branch, a branch that follows nothing, and a remote that is gone are named', async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one', 'two')
  const none = {
    code: 'NO_UPSTREAM',
    exit: 5,
    message: 'this repository has no remote',
    hint: expect.stringContaining(`git -C '${root}' remote add origin <address>`),
  }
  await expect(sync(workspace)).rejects.toMatchObject(none)
  const branch = { address: `${ID}@v1`, branch: 'other' }
  await expect(promote(workspace, branch)).rejects.toMatchObject({ code: 'NO_UPSTREAM' })
  runGit(root, 'remote', 'add', 'elsewhere', path.join(root, 'nowhere'))
  await expect(sync(workspace)).rejects.toMatchObject({
    message: 'main follows no branch elsewhere',
    hint: `name one once: git -C '${root}' push -u elsewhere main`,
  })
  runGit(root, 'checkout', '-q', '--detach')
  await expect(sync(workspace)).rejects.toMatchObject({
    message: 'HEAD is on no branch',
    hint: expect.stringContaining(`git -C '${root}' switch main`),
  })
  const { a } = await twoClones()
  runGit(a.root, 'remote', 'set-url', 'origin', path.join(a.root, 'nowhere'))
  await expect(sync(a.workspace)).rejects.toMatchObject({ code: 'REMOTE_FAILED', exit: 8 })
})
