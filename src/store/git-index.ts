import { randomUUID } from 'node:crypto'
import { copyFile, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError, takeName } from './atomic.ts'
import { git, type Repository, zeros } from './git.ts'

/** What a commit makes of one path of the work tree. An object is `mode id` as git writes it, `null` for no such path. */
export interface IndexChange {
  path: string
  before: string | null
  after: string | null
}

/** What undoes the change. */
export function reversed({ path, before, after }: IndexChange): IndexChange {
  return { path, before: after, after: before }
}

/** Our name for git's lock file, and the index that will replace the user's. */
export function indexFiles(repository: Repository) {
  return {
    lock: `${repository.index}.lock`,
    own: path.join(repository.state, 'index-lock'),
    next: path.join(repository.state, 'index-next'),
  }
}

/** Writes a copy of the user's index with our entries in it. Returns the state of the index that was copied. */
export async function prepareIndex(repository: Repository, changes: IndexChange[]): Promise<string> {
  const { next } = indexFiles(repository)
  const copied = await stateOfIndex(repository)
  try {
    await rm(next, { force: true })
    if (copied !== 'none') await copyFile(repository.index, next)
  } catch (error) {
    throw explainWriteError(error, next)
  }
  await enterChanges(repository, changes, next)
  return copied
}

/** Puts the changes into an index: the user's, under git's own lock, when no other is named. */
export async function enterChanges(
  repository: Repository,
  changes: IndexChange[],
  index = repository.index,
): Promise<void> {
  const none = `0 ${zeros(repository)}`
  const input = changes.map(change => `${change.after ?? none}\t${change.path}\0`).join('')
  const env = { GIT_INDEX_FILE: index }
  await git(repository.workTree, ['update-index', '--add', '-z', '--index-info'], { input, env })
}

/** Changes whenever anybody replaces the index. */
export async function stateOfIndex(repository: Repository): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(repository.index, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none'
    throw error
  }
}

/** Makes the file that will be git's lock, and returns its inode. As long as it exists, no other file has that number. */
export async function makeIndexLock(repository: Repository): Promise<number> {
  const { own } = indexFiles(repository)
  try {
    await rm(own, { force: true })
    await writeFile(own, `loopai, process ${process.pid}, ${randomUUID()}\n`, { flag: 'wx' })
    return (await stat(own)).ino
  } catch (error) {
    throw explainWriteError(error, own)
  }
}

/** False when somebody else held git's lock all the time. */
export async function takeIndexLock(repository: Repository, waitMs: number): Promise<boolean> {
  const { lock, own } = indexFiles(repository)
  for (const deadline = Date.now() + waitMs; ; ) {
    try {
      if (await takeName(own, lock)) return true
    } catch (error) {
      throw explainWriteError(error, lock)
    }
    if (Date.now() > deadline) return false
    await sleep(2 + Math.random() * 8)
  }
}

/** Whether git's lock is the file that we have put there, which holds across a crash. */
export async function holdsIndexLock(repository: Repository, inode: number): Promise<boolean> {
  const { lock, own } = indexFiles(repository)
  try {
    const contents = await Promise.all([lock, own].map(file => readFile(file)))
    return contents[0]!.equals(contents[1]!) && (await stat(own)).ino === inode
  } catch {
    return false
  }
}

/** The user's index becomes the one that was prepared. */
export async function publishIndex(repository: Repository): Promise<void> {
  await rename(indexFiles(repository).next, repository.index).catch(error => {
    throw explainWriteError(error, repository.index)
  })
}

export async function releaseIndexLock(repository: Repository): Promise<void> {
  const { lock } = indexFiles(repository)
  await rm(lock, { force: true }).catch(error => {
    throw explainWriteError(error, lock)
  })
}

export function indexBusy(repository: Repository): LoopaiError {
  const { lock } = indexFiles(repository)
  return new LoopaiError('GIT_BUSY', `another git command holds ${lock}`, {
    hint: 'wait for it; if no git command is running any more, remove that file',
  })
}
