import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fingerprint } from './fingerprint.ts'

/**
 * Begins to watch whether git writes the work tree around a folder: a pull or a checkout removes and writes files one by one. The function
 * says whether it has, or is about to. No git process is started: git holds the lock of its index all the while, and then replaces it.
 */
export function observeGit(folder: string): () => boolean {
  const index = findIndex(folder)
  if (!index) return () => false
  const isLocked = () => existsSync(`${index}.lock`)
  const wasLocked = isLocked()
  const before = fingerprint(index)
  return () => wasLocked || isLocked() || fingerprint(index) !== before
}

function findIndex(folder: string): string | undefined {
  for (let place = path.resolve(folder); ; place = path.dirname(place)) {
    const git = path.join(place, '.git')
    const found = statSync(git, { throwIfNoEntry: false })
    if (found?.isDirectory()) return path.join(git, 'index')
    // A worktree or a submodule.
    if (found) return path.resolve(place, readFileSync(git, 'utf8').replace('gitdir: ', '').trim(), 'index')
    if (place === path.dirname(place)) return undefined
  }
}
