import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { RootConfig } from '../domain/config.ts'
import type { Commit } from './change.ts'
import type { CommittedFile } from './commit.ts'
import { findHead, type Repository } from './git.ts'
import { refuseDuringMerge } from './git-state.ts'
import { type GitUser, type Identity, readUser } from './identity.ts'
import { readJournal } from './journal.ts'
import { landCommit, writeFiles } from './land.ts'
import { withLock } from './lock.ts'
import { recover } from './recovery.ts'

export type { Commit, CommittedFile }

/** The one way to write: under the lock, commits that contain our paths and nothing else. */
export interface Transaction {
  repository: Repository
  identity: Identity
  hasUpstream: boolean
  /** What was done about a crash that the last writer had, as a sentence. */
  recovered: string | undefined
  /** Names, relative to the work tree, that were visible for a moment before a crash. Their numbers are not used again. */
  burned: string[]
  /**
   * Commits the files, whatever is staged or changed elsewhere, enters them into the user's index and puts them in place: all of it or
   * nothing, also across a crash. Returns the commit's id, or `null` when files are written without a commit.
   */
  commit: (commit: Commit) => Promise<string | null>
}

export interface TransactionOptions {
  /** False: the files are put in place, and git is not touched. */
  commit?: boolean | undefined
  git?: RootConfig['git'] | undefined
  /** When they have been asked for already. */
  user?: Promise<GitUser> | undefined
}

const DEFAULT_GIT: RootConfig['git'] = { tags: false, hooks: 'run', message_prefix: '' }

/** Runs `work` with the write lock held. Keep it short: generating, testing and executing happen outside. */
export async function withTransaction<Result>(
  repository: Repository,
  now: Date,
  work: (transaction: Transaction) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  return withLock(repository.state, async () => {
    refuseDuringMerge(repository.workTree)
    try {
      const { journal, said } = await recover(repository, await readJournal(repository))
      const asking = options.user ?? readUser(repository.workTree, process.env, now)
      const [user, head] = await Promise.all([asking, findHead(repository)])
      const session = { repository, user, head, journal, settings: options.git ?? DEFAULT_GIT }
      const put = options.commit === false ? writeFiles : landCommit
      return await work({
        repository,
        identity: user.identity,
        hasUpstream: user.hasUpstream,
        recovered: said,
        burned: journal.burned,
        commit: commit => put(session, commit),
      })
    } finally {
      await removeTraces(repository).catch(() => {})
    }
  })
}

/** Files of ours that a write needs, once there is none to finish, whoever left them. The next writer tries again. */
async function removeTraces(repository: Repository): Promise<void> {
  const { state } = repository
  if ((await readJournal(repository)).write) return
  const names = await readdir(state)
  const traces = names.filter(name => /^(index-|message|\.tmp-)/.test(name))
  await Promise.all(traces.map(name => rm(path.join(state, name), { force: true })))
}
