import type { RootConfig } from '../domain/config.ts'
import { openRepository, type Repository } from '../store/git.ts'
import { readUser } from '../store/identity.ts'
import { type Transaction, withTransaction } from '../store/transaction.ts'
import type { Workspace } from './workspace.ts'

/** Runs `work` as the only writer of a data directory. Its commits carry the reason given with `-m`. */
export async function write<Result>(
  workspace: Workspace,
  { root, settings, ...known }: { root: string; settings?: RootConfig; repository?: Repository },
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  // Both are processes of git, and neither needs the other.
  const user = readUser(root, process.env, workspace.now())
  user.catch(() => {})
  const repository = known.repository ?? (await openRepository(root))
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
