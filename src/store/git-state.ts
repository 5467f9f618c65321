import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { fingerprint } from './fingerprint.ts'
import { gitIn } from './git-words.ts'

/** What git is about in the work tree around a folder, seen without starting a git process. */

/**
 * Begins to watch whether git writes the work tree: a pull or a checkout removes and writes files one by one. The function says whether it
 * has, or is about to: git holds the lock of its index all the while, and then replaces it.
 */
export function observeGit(folder: string): () => boolean {
  const git = findGitDirectory(folder)
  if (!git) return () => false
  const index = path.join(git, 'index')
  const isLocked = () => existsSync(`${index}.lock`)
  const wasLocked = isLocked()
  const before = fingerprint(index)
  return () => wasLocked || isLocked() || fingerprint(index) !== before
}

/** Something that git is half-way through, by the file that says so. */
const OPERATIONS = {
  MERGE_HEAD: 'merge',
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  sequencer: 'cherry-pick',
  BISECT_LOG: 'bisect',
} as const

export type Operation = (typeof OPERATIONS)[keyof typeof OPERATIONS]

export function findOperation(gitDirectory: string): Operation | undefined {
  const file = Object.keys(OPERATIONS).find(name => existsSync(path.join(gitDirectory, name)))
  return file === undefined ? undefined : OPERATIONS[file as keyof typeof OPERATIONS]
}

/** What to type to end an operation in the work tree around a folder. */
export function waysOut(operation: Operation, folder: string): string {
  const git = gitIn(folder)
  if (operation === 'bisect') return `${git} bisect reset`
  return `${git} ${operation} --continue   or   ${git} ${operation} --abort`
}

/** A half-done merge or rebase owns HEAD and the index, and may have left its markers in what is read first. */
export function refuseDuringMerge(folder: string): void {
  const git = findGitDirectory(folder)
  const operation = git && findOperation(git)
  if (!operation) return
  throw new LoopaiError('GIT_BUSY', `a ${operation} is in progress in ${folder}`, {
    hint: `finish it or abort it first: ${waysOut(operation, folder)}`,
  })
}

function findGitDirectory(folder: string): string | undefined {
  for (let place = path.resolve(folder); ; place = path.dirname(place)) {
    const git = path.join(place, '.git')
    const found = statSync(git, { throwIfNoEntry: false })
    if (found?.isDirectory()) return git
    // A worktree or a submodule.
    if (found) return path.resolve(place, readFileSync(git, 'utf8').replace('gitdir: ', '').trim())
    if (place === path.dirname(place)) return undefined
  }
}
