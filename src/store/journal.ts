import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { replaceFile } from './atomic.ts'
import type { Repository } from './git.ts'
import type { IndexChange } from './git-index.ts'
import { gitIn } from './git-words.ts'
import type { Placement } from './placing.ts'

/** A write from before git is touched until everything is in place, so that the next command can finish it or take it back. */
export interface PendingWrite {
  subject: string
  /** The commit that is to land; `null` when only files are written; absent while it is being built. */
  commit?: string | null
  changes: IndexChange[]
  plan: Placement[]
  /** Inode of the file that is linked as git's index lock. */
  indexLock: number | null
}

export interface Journal {
  write?: PendingWrite
  /** Entries that the user's index still has to get, because another git command held it. */
  stale: IndexChange[]
  /** Names that were visible for a moment though their commit never landed. Their numbers are not used again. */
  burned: string[]
}

export async function readJournal(repository: Repository): Promise<Journal> {
  const file = journalFile(repository)
  const text = await readFile(file, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  try {
    return { stale: [], burned: [], ...(JSON.parse(text) as Partial<Journal>) }
  } catch (cause) {
    throw new LoopaiError('INTEGRITY', `the journal of an unfinished write is broken: ${file}`, {
      hint: `compare with: ${gitIn(repository.workTree)} status   then remove that file`,
      cause,
    })
  }
}

/** Replaces the journal; one that has nothing to say goes away. */
export async function writeJournal(repository: Repository, journal: Journal): Promise<void> {
  const file = journalFile(repository)
  const isEmpty = !journal.write && journal.stale.length === 0 && journal.burned.length === 0
  if (isEmpty) await rm(file, { force: true })
  else await replaceFile(file, `${JSON.stringify(journal)}\n`)
}

function journalFile(repository: Repository): string {
  return path.join(repository.state, 'journal.json')
}
