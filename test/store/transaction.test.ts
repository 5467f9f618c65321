import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { findRepository, initRepository, openRepository } from '../../src/store/git.ts'
import { withTransaction } from '../../src/store/transaction.ts'
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

test('a folder outside of any repository has none', async () => {
  const root = temporaryFolder()
  expect(await findRepository(root)).toBeUndefined()
  rmSync(root, { recursive: true })
})

function commit(
  repository: Awaited<ReturnType<typeof openRepository>>,
  subject: string,
  files: Parameters<Parameters<Parameters<typeof withTransaction>[2]>[0]['commit']>[0]['files'],
) {
  return withTransaction(repository, now, transaction =>
    transaction.commit({ subject, trailers: { 'Loopai-Op': 'test' }, files }),
  )
}
