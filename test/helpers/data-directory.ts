import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { runWriter } from './processes.ts'
import { runGit } from './repository.ts'

/** A data directory with v1 of app `a` active and v2 not yet, in which the user has staged a file; and copies of it. */
export async function createOrigin() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai origin '))
  chmodSync(folder, 0o755)
  const origin = path.join(folder, 'origin')
  runGit(folder, 'init', '-q', origin)
  for (const args of [['init'], ['create', 'a'], ['add', 'a', 'one', 'two'], ['promote', 'a', '1']]) {
    await write(origin, args, { LOOPAI_DIR: origin })
  }
  writeFileSync(path.join(origin, 'theirs.txt'), 'staged\n')
  runGit(origin, 'add', 'theirs.txt')
  return {
    copy: (parent = folder): string => {
      const root = mkdtempSync(path.join(parent, 'copy '))
      cpSync(origin, root, { recursive: true, verbatimSymlinks: true })
      return root
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Runs a writer that has to succeed. Returns what it printed. */
export async function write(root: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { status, stdout, stderr } = await runWriter(root, args, { env })
  expect(status, stderr).toBe(0)
  return stdout
}

/** HEAD, link, history, versions, index and the user's staged file agree, and git has nothing to complain about. */
export function expectConsistent(root: string, before: string): void {
  const app = 'loop-apps/a'
  expect(runGit(root, 'status', '--porcelain', '--untracked-files=all')).toBe('A  theirs.txt')
  expect(runGit(root, 'cat-file', 'blob', ':theirs.txt')).toBe('staged')
  const link = readlinkSync(path.join(root, app, 'artifacts/active'))
  expect(runGit(root, 'cat-file', 'blob', `HEAD:${app}/artifacts/active`)).toBe(link)
  const history = runGit(root, 'cat-file', 'blob', `HEAD:${app}/history.jsonl`).split('\n')
  expect(`v${JSON.parse(history.at(-1)!).to}`).toBe(link)
  const versions = (names: string[]) => names.filter(name => name.startsWith('v')).sort()
  expect(versions(runGit(root, 'ls-tree', '--name-only', `HEAD:${app}/artifacts`).split('\n'))).toEqual(
    versions(readdirSync(path.join(root, app, 'artifacts'))),
  )
  runGit(root, 'merge-base', '--is-ancestor', before, 'HEAD')
  expect(runGit(root, 'fsck', '--no-dangling')).toBe('')
  expect(existsSync(path.join(root, '.git/index.lock'))).toBe(false)
  expect(readdirSync(path.join(root, '.git/loopai')).filter(name => name !== 'journal.json')).toEqual([])
}
