import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runWriter } from '../helpers/processes.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

/** Kinds of repository: each makes one and returns the folder that becomes the data directory. */
const PLACES: Record<string, () => string> = {
  'an unborn branch': () => repository(temporaryFolder()),
  'a detached HEAD': () => {
    const root = withCommit(repository(temporaryFolder()))
    runGit(root, 'checkout', '-q', '--detach')
    return root
  },
  'a clone of depth 1': () => {
    const origin = withCommit(withCommit(repository(temporaryFolder())))
    const clone = path.join(temporaryFolder(), 'clone')
    runGit(origin, 'clone', '-q', '--depth', '1', `file://${origin}`, clone)
    return clone
  },
  'a worktree': () => {
    const main = withCommit(repository(temporaryFolder()))
    const tree = path.join(temporaryFolder(), 'tree')
    runGit(main, 'worktree', 'add', '-q', '-b', 'side', tree)
    return tree
  },
  'a submodule': () => {
    const inner = withCommit(repository(temporaryFolder()))
    const outer = withCommit(repository(temporaryFolder()))
    runGit(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub')
    return path.join(outer, 'sub')
  },
  'a folder of a larger repository': () => {
    const root = path.join(withCommit(repository(temporaryFolder())), 'services', 'loop')
    mkdirSync(root, { recursive: true })
    return root
  },
  'a sparse checkout': () => {
    const root = repository(temporaryFolder())
    mkdirSync(path.join(root, 'hidden'))
    writeFileSync(path.join(root, 'hidden', 'f'), 'x\n')
    mkdirSync(path.join(root, 'data'))
    writeFileSync(path.join(root, 'data', 'f'), 'x\n')
    withCommit(root)
    runGit(root, 'sparse-checkout', 'set', '--cone', '--sparse-index', 'data')
    return path.join(root, 'data')
  },
  'core.autocrlf=true': () => {
    const root = repository(temporaryFolder())
    runGit(root, 'config', 'core.autocrlf', 'true')
    writeFileSync(path.join(root, '.gitignore'), '*.log\r\n')
    return withCommit(root)
  },
  'core.symlinks=false': () => {
    const root = repository(temporaryFolder())
    runGit(root, 'config', 'core.symlinks', 'false')
    return withCommit(root)
  },
  'SHA-256': () => withCommit(repository(temporaryFolder(), '--object-format=sha256')),
  'SHA-256 without a commit': () => repository(temporaryFolder(), '--object-format=sha256'),
  'a path with spaces, quotes and letters beyond ASCII': () => {
    const root = path.join(temporaryFolder(), 'Däten für "alle" 日本')
    mkdirSync(root)
    return repository(root)
  },
  'packed references': () => {
    const root = withCommit(repository(temporaryFolder()))
    runGit(root, 'pack-refs', '--all')
    return root
  },
  'a branch that is another name of one': () => {
    const root = withCommit(repository(temporaryFolder()))
    runGit(root, 'branch', 'real')
    runGit(root, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/real')
    runGit(root, 'symbolic-ref', 'HEAD', 'refs/heads/alias')
    return root
  },
  'a split index': () => {
    const root = repository(temporaryFolder())
    runGit(root, 'config', 'core.splitIndex', 'true')
    return withCommit(root)
  },
}

test.each(Object.entries(PLACES))('writes work in %s', async (name, make) => {
  const root = make()
  const before = runGit(root, 'rev-list', '--count', '--all')
  const { status, stderr } = await runWriter(root, ['everything', 'a'], { env: { LOOPAI_DIR: root } })
  expect(status, stderr).toBe(0)
  expect(runGit(root, 'status', '--porcelain', '--untracked-files=all')).toBe('')
  expect(Number(runGit(root, 'rev-list', '--count', '--all')) - Number(before)).toBe(7)
  const active = 'loop-apps/a/artifacts/active'
  expect(runGit(root, 'ls-tree', 'HEAD', '--', active)).toMatch(/^120000 blob/)
  expect(runGit(root, 'cat-file', 'blob', `HEAD:./${active}`)).toBe('v1')
  const link = path.join(root, active)
  expect(lstatSync(link).isSymbolicLink()).toBe(name !== 'core.symlinks=false')
  if (name === 'core.symlinks=false') expect(readFileSync(link, 'utf8')).toBe('v1')
  expect(runGit(root, 'fsck', '--no-dangling')).toBe('')
})

function repository(root: string, ...options: string[]): string {
  runGit(root, 'init', '-q', ...options)
  return root
}

function withCommit(root: string): string {
  writeFileSync(path.join(root, 'README.md'), `${Math.random()}\n`)
  runGit(root, 'add', '.')
  runGit(root, 'commit', '-qm', 'first')
  return root
}
