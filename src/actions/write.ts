import type { Repository } from '../store/git.ts'
import { type Transaction, withTransaction } from '../store/transaction.ts'
import type { Workspace } from './workspace.ts'

/** Runs `work` as the only writer. Its commits carry the reason given with `-m`. */
export function write<Result>(
  workspace: Workspace,
  repository: Repository,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return withTransaction(repository, workspace.now(), transaction => {
    if (transaction.identity.isFallback) {
      workspace.report('git knows no identity here: committing as loopai <loopai@ci.invalid>')
    }
    const body = workspace.message
    return work({ ...transaction, commit: commit => transaction.commit({ body, ...commit }) })
  })
}
