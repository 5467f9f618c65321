import type { RootConfig } from '../domain/config.ts'
import { openRepository, type Repository } from '../store/git.ts'
import { type GitUser, readUser } from '../store/identity.ts'
import { type Transaction, withTransaction } from '../store/transaction.ts'
import type { Workspace } from './workspace.ts'

/** What a write has to ask git first, asked while something else is waited for. */
export interface Prepared {
  repository?: Promise<Repository> | undefined
  user: Promise<GitUser>
  since: number
}

/** So long it is known when a commit was made, which is part of what git says of its author. */
const FRESH_MS = 2_000

export function prepareWrite(workspace: Workspace, root: string, repository?: Promise<Repository>): Prepared {
  const user = readUser(root, process.env, workspace.now())
  // Whoever writes is told.
  for (const asked of [user, repository]) asked?.catch(() => {})
  return { repository, user, since: performance.now() }
}

/** Runs `work` as the only writer of a data directory. Its commits carry the reason given with `-m`. */
export async function write<Result>(
  workspace: Workspace,
  { root, settings, prepared }: { root: string; settings?: RootConfig; prepared?: Prepared | undefined },
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  // Both are processes of git, and neither needs the other.
  const isFresh = prepared && performance.now() - prepared.since < FRESH_MS
  const { user } = isFresh ? prepared : prepareWrite(workspace, root)
  const repository = await (prepared?.repository ?? openRepository(root))
  const options = { commit: workspace.commit, git: settings?.git, user }
  return withTransaction(repository, workspace.now(), begin, options)

  function begin(transaction: Transaction): Promise<Result> {
    if (transaction.recovered) workspace.report(transaction.recovered)
    if (transaction.identity.isFallback) {
      workspace.report('git knows no identity here: committing as loopai <loopai@ci.invalid>')
    }
    const body = workspace.message
    return work({ ...transaction, commit: commit => transaction.commit({ body, ...commit }) })
  }
}
