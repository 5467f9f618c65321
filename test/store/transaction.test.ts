import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { findRepository, initRepository, openRepository } from '../../src/store/git.ts'
import {
  type Commit,
  type CommittedFile,
  type TransactionOptions,
  withTransaction,
} from '../../src/store/transaction.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

const now = new Date('2026-01-02T03:04:05Z')

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

describe('a write transaction', () => {
  test('commits our paths in an empty repository and leaves a clean status', async () => {
    const root = temporaryFolder()
    const repository = await initRepository(root)
    writeFileSync(path.join(root, 'a b.txt'), 'one\n')
    await commit(repository, 'first', [{ path: 'a b.txt', mode: '100644', content: 'one\n' }])
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(runGit(root, 'log', '--format=%s|%an|%(trailers:key=Loopai-Op)')).toBe('first|Ada|Loopai-Op: test')
    expect(runGit(root, 'for-each-ref', 'refs/loopai')).toBe('')
    expect(runGit(root, 'fsck')).toBe('')
  })

  test('leaves what the user has staged staged, and out of the commit', async () => {
    const root = temporaryFolder()
    const repository = await initRepository(root)
    writeFileSync(path.join(root, 'theirs.txt'), 'staged\n')
    runGit(root, 'add', 'theirs.txt')
    writeFileSync(path.join(root, 'ours.txt'), 'x')
    await commit(repository, 'ours', [{ path: 'ours.txt', mode: '100644', content: 'x' }])
    expect(runGit(root, 'status', '--porcelain')).toBe('A  theirs.txt')
    expect(runGit(root, 'show', '--name-only', '--format=', 'HEAD')).toBe('ours.txt')
  })

  test('works in a folder inside a larger repository', async () => {
    const outer = temporaryFolder()
    runGit(outer, 'init', '-q')
    const root = path.join(outer, 'daten für "alle"')
    mkdirSync(root)
    const repository = await openRepository(root)
    writeFileSync(path.join(root, 'ünïcode.txt'), 'x')
    await commit(repository, 'inner', [{ path: 'ünïcode.txt', mode: '100644', content: 'x' }])
    expect(runGit(outer, 'status', '--porcelain')).toBe('')
    expect(runGit(outer, '-c', 'core.quotePath=false', 'ls-files', '-z')).toBe(
      'daten für "alle"/ünïcode.txt\0',
    )
  })

  test('is refused during a merge', async () => {
    const root = temporaryFolder()
    const repository = await initRepository(root)
    writeFileSync(path.join(repository.gitDirectory, 'MERGE_HEAD'), '')
    await expect(commit(repository, 'x', [])).rejects.toMatchObject({ code: 'GIT_BUSY', exit: 5 })
  })

  test('names who is missing when git knows no identity, and lends one in CI', async () => {
    const root = temporaryFolder()
    const repository = await initRepository(root)
    runGit(root, 'config', 'user.useConfigOnly', 'true')
    for (const name of Object.keys(USER_ENV).filter(key => /AUTHOR|COMMITTER/.test(key)))
      delete process.env[name]
    delete process.env.CI
    await expect(commit(repository, 'x', [])).rejects.toMatchObject({ code: 'NO_IDENTITY', exit: 8 })
    process.env.CI = 'true'
    writeFileSync(path.join(root, 'f'), 'x')
    await commit(repository, 'x', [{ path: 'f', mode: '100644', content: 'x' }])
    delete process.env.CI
    expect(runGit(root, 'log', '--format=%an <%ae>')).toBe('loopai <loopai@ci.invalid>')
  })

  test('twenty writers at once all land', async () => {
    const root = temporaryFolder()
    const repository = await initRepository(root)
    const names = Array.from({ length: 20 }, (_, i) => `file-${i}`)
    for (const name of names) writeFileSync(path.join(root, name), name)
    await Promise.all(
      names.map(name => commit(repository, name, [{ path: name, mode: '100644', content: name }])),
    )
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(runGit(root, 'rev-list', '--count', 'HEAD')).toBe('20')
  })
})

test.each(['../outside', '/outside', 'a/../../outside', 'a//b', './a', '..'])(
  'a path that leads elsewhere, %j, is neither written nor removed',
  async name => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    const before = runGit(root, 'rev-parse', 'HEAD')
    const refusal = {
      code: 'INTEGRITY',
      message: `${JSON.stringify(name)} is not a path in the data directory`,
    }
    await expect(commit(repository, 'x', [file(name, 'x')])).rejects.toMatchObject(refusal)
    const removal = { subject: 'x', trailers: {}, files: [], removed: [name] }
    await expect(
      withTransaction(repository, now, transaction => transaction.commit(removal)),
    ).rejects.toMatchObject(refusal)
    expect(runGit(root, 'rev-parse', 'HEAD')).toBe(before)
  },
)

describe('what others did', () => {
  test('a path with changes of the user is refused, and left as it is', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    writeFileSync(path.join(root, 'f'), 'mine\n')
    await expect(commitFile(repository, 'f', 'two\n')).rejects.toMatchObject({ code: 'CONFLICT', exit: 5 })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('mine\n')
    expect(runGit(root, 'status', '--porcelain')).toBe(' M f')
    expect(readdirSync(root).sort()).toEqual(['.git', 'f'])
  })

  test('dirt elsewhere is no reason to refuse', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n', g: 'one\n' })
    writeFileSync(path.join(root, 'g'), 'mine\n')
    await commitFile(repository, 'f', 'two\n')
    expect(runGit(root, 'status', '--porcelain')).toBe(' M g')
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('two\n')
  })

  test('a commit that somebody makes meanwhile stays, and ours comes after it', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    await withTransaction(repository, now, async transaction => {
      writeFileSync(path.join(root, 'g'), 'theirs\n')
      runGit(root, 'add', 'g')
      runGit(root, 'commit', '-qm', 'theirs')
      await transaction.commit({ subject: 'ours', trailers: {}, files: [file('f', 'two\n')] })
    })
    expect(runGit(root, 'log', '--format=%s').split('\n').slice(0, 2)).toEqual(['ours', 'theirs'])
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('a commit that changed our very path meanwhile is a conflict', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    const refusal = withTransaction(repository, now, async transaction => {
      writeFileSync(path.join(root, 'f'), 'theirs\n')
      runGit(root, 'commit', '-qam', 'theirs')
      await transaction.commit({ subject: 'ours', trailers: {}, files: [file('f', 'two\n')] })
    })
    await expect(refusal).rejects.toMatchObject({ code: 'CONFLICT', exit: 5 })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('theirs\n')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test.each([
    ['rebase', 'rebase-merge/'],
    ['rebase', 'rebase-apply/'],
    ['cherry-pick', 'CHERRY_PICK_HEAD'],
    ['revert', 'REVERT_HEAD'],
    ['bisect', 'BISECT_LOG'],
  ])('a %s that is going on is named (%s)', async (name, trace) => {
    const { repository } = await repositoryWith({ f: 'one\n' })
    const place = path.join(repository.gitDirectory, trace)
    if (trace.endsWith('/')) mkdirSync(place)
    else writeFileSync(place, '')
    await expect(commitFile(repository, 'f', 'two\n')).rejects.toMatchObject({
      code: 'GIT_BUSY',
      message: expect.stringContaining(`a ${name} is in progress`),
    })
  })

  test('a folder whose name somebody took meanwhile stays theirs', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    mkdirSync(path.join(root, '.tmp-new'))
    writeFileSync(path.join(root, '.tmp-new', 'x'), 'ours')
    mkdirSync(path.join(root, 'v1'))
    const refusal = withTransaction(repository, now, transaction =>
      transaction.commit({
        subject: 'add',
        trailers: {},
        files: [file('v1/x', 'ours')],
        folders: [{ from: path.join(root, '.tmp-new'), to: 'v1' }],
      }),
    )
    await expect(refusal).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(readdirSync(root).sort()).toEqual(['.git', 'f', 'v1'])
    expect(runGit(root, 'log', '--format=%s')).toBe('first')
  })
})

describe('when git is busy with the index', () => {
  test('content waits, then names the file; a flip goes on, and the next command brings the index along', {
    timeout: 30_000,
  }, async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    writeFileSync(path.join(root, '.git', 'index.lock'), '')
    await expect(commitFile(repository, 'f', 'two\n')).rejects.toMatchObject({
      code: 'GIT_BUSY',
      exit: 5,
      message: expect.stringContaining('index.lock'),
    })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('one\n')
    await commitFile(repository, 'f', 'two\n', { kind: 'flip' })
    await commitFile(repository, 'f', 'three\n', { kind: 'flip' })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('three\n')
    expect(runGit(root, 'show', 'HEAD:f')).toBe('three')
    expect(runGit(root, 'show', ':f')).toBe('one')
    rmSync(path.join(root, '.git', 'index.lock'))
    await withTransaction(repository, now, async () => {})
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(readdirSync(repository.state)).toEqual([])
  })

  test('an entry that the user staged since is not overwritten', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    writeFileSync(path.join(root, '.git', 'index.lock'), '')
    await commitFile(repository, 'f', 'two\n', { kind: 'flip' })
    rmSync(path.join(root, '.git', 'index.lock'))
    writeFileSync(path.join(root, 'f'), 'mine\n')
    runGit(root, 'add', 'f')
    await withTransaction(repository, now, async () => {})
    expect(runGit(root, 'show', ':f')).toBe('mine')
  })
})

test('a reference lock that somebody left is waited for, then named', { timeout: 30_000 }, async () => {
  const { root, repository } = await repositoryWith({ f: 'one\n' })
  const lock = path.join(root, '.git', 'HEAD.lock')
  writeFileSync(lock, '')
  await expect(commitFile(repository, 'f', 'two\n')).rejects.toMatchObject({
    code: 'GIT_BUSY',
    message: `another git command holds ${lock}`,
  })
  expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('one\n')
  expect(readdirSync(repository.state)).toEqual([])
  rmSync(lock)
  expect(runGit(root, 'status', '--porcelain')).toBe('')
})

test('a path that is in git and not on disk is not made anew', async () => {
  const { root, repository } = await repositoryWith({ f: 'one\n', g: 'one\n' })
  rmSync(path.join(root, 'g'))
  await expect(commitFile(repository, 'g', 'two\n')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'g is in git, though not on disk',
  })
})

describe('options', () => {
  test('without a commit the files are written and git is left alone', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    const id = await commitFile(repository, 'f', 'two\n', {}, { commit: false })
    expect(id).toBeNull()
    expect(runGit(root, 'status', '--porcelain')).toBe(' M f')
    expect(runGit(root, 'log', '--format=%s')).toBe('first')
  })

  test('tags and a prefix for subjects are made when the settings ask for them', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    const settings = { git: { tags: true, hooks: 'run' as const, message_prefix: 'chore: ' } }
    await commitFile(repository, 'f', 'two\n', { tag: 'a/v1' }, settings)
    expect(runGit(root, 'log', '-1', '--format=%s', 'a/v1')).toBe('chore: change f')
    await expect(commitFile(repository, 'f', 'three\n', { tag: 'a/v1' }, settings)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'there is a tag a/v1 already',
    })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('two\n')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('removed paths go from the commit, the index and the disk', async () => {
    const { root, repository } = await repositoryWith({ 'd/e/f': 'one\n', 'd/g': 'one\n' })
    await withTransaction(repository, now, transaction =>
      transaction.commit({ subject: 'remove', trailers: {}, files: [], removed: ['d/e/f'] }),
    )
    expect(runGit(root, 'ls-files')).toBe('d/g')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(readdirSync(path.join(root, 'd'))).toEqual(['g'])
  })

  test.skipIf(spawnSync('ssh-keygen', ['-?']).error)('commits are signed when the user signs', async () => {
    const { root, repository } = await repositoryWith({ f: 'one\n' })
    const key = path.join(temporaryFolder(), 'key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    writeFileSync(`${key}.allowed`, `ada@example.com ${readFileSync(`${key}.pub`, 'utf8')}`)
    runGit(root, 'config', 'gpg.format', 'ssh')
    runGit(root, 'config', 'user.signingKey', key)
    runGit(root, 'config', 'gpg.ssh.allowedSignersFile', `${key}.allowed`)
    runGit(root, 'config', 'commit.gpgSign', 'true')
    await commitFile(repository, 'f', 'two\n')
    expect(runGit(root, 'log', '-1', '--format=%G? %s %an')).toBe('G change f Ada')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    rmSync(key)
    await expect(commitFile(repository, 'f', 'three\n')).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: expect.stringContaining('could not be signed'),
    })
    expect(readFileSync(path.join(root, 'f'), 'utf8')).toBe('two\n')
  })
})

test('a folder outside of any repository has none', async () => {
  const root = temporaryFolder()
  expect(await findRepository(root)).toBeUndefined()
  rmSync(root, { recursive: true })
})

type Repository = Awaited<ReturnType<typeof openRepository>>

function commit(repository: Repository, subject: string, files: CommittedFile[]) {
  return withTransaction(repository, now, transaction =>
    transaction.commit({ subject, trailers: { 'Loopai-Op': 'test' }, files }),
  )
}

function file(name: string, content: string): CommittedFile {
  return { path: name, mode: '100644', content }
}

function commitFile(
  repository: Repository,
  name: string,
  content: string,
  more: Partial<Commit> = {},
  options: TransactionOptions = {},
) {
  return withTransaction(
    repository,
    now,
    transaction =>
      transaction.commit({ subject: `change ${name}`, trailers: {}, files: [file(name, content)], ...more }),
    options,
  )
}

/** A repository with one commit that holds these files. */
async function repositoryWith(files: Record<string, string>) {
  const root = temporaryFolder()
  const repository = await initRepository(root)
  await commit(
    repository,
    'first',
    Object.entries(files).map(([name, content]) => file(name, content)),
  )
  return { root, repository }
}
