import { type Finding, shorten } from '../domain/finding.ts'
import { listUnmerged } from '../store/base.ts'
import type { Repository } from '../store/git.ts'
import { findOperation, type Operation, waysOut } from '../store/git-state.ts'

/** What a merge, or something like it, has left for a person to finish. Conflicts always, the operation itself unless it is among `fine`. */
export async function mergeFindings(repository: Repository, fine: Operation[] = []): Promise<Finding[]> {
  const operation = findOperation(repository.gitDirectory)
  const unmerged = await listUnmerged(repository)
  const finding = (message: string, fix: string): Finding[] => [
    { kind: 'git', loop_app_id: null, message, fix },
  ]
  const next = operation ? waysOut(operation) : 'git commit'
  if (unmerged.length > 0)
    return finding(
      `both sides of a ${operation ?? 'merge'} have changed ${shorten(unmerged)}`,
      `choose between the sides, git add them, then: ${next}`,
    )
  return operation && !fine.includes(operation)
    ? finding(`a ${operation} is in progress`, `finish it or abort it: ${next}`)
    : []
}
