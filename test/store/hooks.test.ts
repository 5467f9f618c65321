import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { initRepository } from '../../src/store/git.ts'
import { type Commit, type TransactionOptions, withTransaction } from '../../src/store/transaction.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('what the user put into a version that a hook then refuses stays', async () => {
  const root = await repositoryWithHook('pre-commit', 'echo mine > v1/notes.txt; echo no >&2; exit 1')
  await expect(addVersion(root)).rejects.toMatchObject({
    code: 'HOOK_REFUSED',
    message: expect.stringMatching(/left in place, since it was changed meanwhile: v1$/),
  })
  expect(readFileSync(path.join(root, 'v1/notes.txt'), 'utf8')).toBe('mine\n')
})

test('the pre-commit hook sees our files alone, in the index and in the work tree', async () => {
  const root = await repositoryWithHook(
    'pre-commit',
    'git diff --cached --name-only > seen; cat v1/x >> seen',
  )
  writeFileSync(path.join(root, 'theirs'), 'x')
  runGit(root, 'add', 'theirs')
  await addVersion(root)
  expect(readFileSync(path.join(root, 'seen'), 'utf8')).toBe('v1/x\nour bytes\n')
  expect(runGit(root, 'show', '--name-only', '--format=', 'HEAD')).toBe('v1/x')
  expect(runGit(root, 'status', '--porcelain', '--untracked-files=no')).toBe('A  theirs')
})

test('a hook that says no is quoted, and nothing is left', async () => {
  const root = await repositoryWithHook('pre-commit', 'echo "no secrets here" >&2; exit 1')
  await expect(addVersion(root)).rejects.toMatchObject({
    code: 'HOOK_REFUSED',
    exit: 3,
    message: expect.stringContaining('no secrets here'),
    hint: expect.stringContaining('hooks: none'),
  })
  expect(readdirSync(root)).toEqual(['.git'])
  expect(runGit(root, 'status', '--porcelain')).toBe('')
})

test.each([
  ['the file', 'echo formatted > v1/x'],
  [
    'the index',
    'echo formatted > /tmp/x.$$; git update-index --add --cacheinfo 100644,$(git hash-object -w /tmp/x.$$),v1/x; rm /tmp/x.$$',
  ],
])('a hook that rewrites %s is refused: a version is what its digest says', async (_, script) => {
  const root = await repositoryWithHook('pre-commit', script)
  await expect(addVersion(root)).rejects.toMatchObject({
    code: 'HOOK_REFUSED',
    message: 'the pre-commit hook rewrote v1/x',
  })
  expect(existsSync(path.join(root, 'v1'))).toBe(false)
  expect(runGit(root, 'status', '--porcelain')).toBe('')
})

test('the commit-msg hook may complete the message', async () => {
  const root = await repositoryWithHook('commit-msg', 'echo "Change-Id: I123" >> "$1"')
  const id = await addVersion(root)
  expect(runGit(root, 'log', '-1', '--format=%H %s %(trailers:key=Change-Id,valueonly)').trim()).toBe(
    `${id} add v1 I123`,
  )
  expect(runGit(root, 'status', '--porcelain')).toBe('')
})

test('flips run no hooks, and `hooks: none` turns them off', async () => {
  const root = await repositoryWithHook('pre-commit', 'exit 1')
  await addVersion(root, { kind: 'flip' })
  await addVersion(root, {}, { git: { hooks: 'none', tags: false, message_prefix: '' } })
  expect(runGit(root, 'rev-list', '--count', 'HEAD')).toBe('2')
})

async function repositoryWithHook(name: string, script: string): Promise<string> {
  const root = temporaryFolder()
  const { hooks } = await initRepository(root)
  mkdirSync(hooks, { recursive: true })
  writeFileSync(path.join(hooks, name), `#!/bin/sh\n${script}\n`)
  chmodSync(path.join(hooks, name), 0o755)
  return root
}

/** Commits `v1/x`, or the next number, as a new version is: a folder under a temporary name. */
async function addVersion(root: string, more: Partial<Commit> = {}, options: TransactionOptions = {}) {
  const repository = await initRepository(root)
  const name = existsSync(path.join(root, 'v1')) ? 'v2' : 'v1'
  const from = path.join(root, '.tmp-version')
  mkdirSync(from)
  writeFileSync(path.join(from, 'x'), 'our bytes\n')
  const commit: Commit = {
    subject: `add ${name}`,
    trailers: { 'Loopai-Op': 'add' },
    files: [{ path: `${name}/x`, mode: '100644', content: 'our bytes\n' }],
    folders: [{ from, to: name }],
    ...more,
  }
  return withTransaction(repository, new Date(), transaction => transaction.commit(commit), options)
}
