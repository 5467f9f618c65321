import path from 'node:path'
import { type Finding, shorten } from '../domain/finding.ts'
import { listUnmerged } from '../store/base.ts'
import type { Repository } from '../store/git.ts'
import { findOperation, type Operation, waysOut } from '../store/git-state.ts'
import { gitIn } from '../store/git-words.ts'

/**
 * What a merge, or something like it, has left for a person to finish, beside what was `found` already. Conflicts always, the operation itself
 * unless it is among `fine`.
 */
export async function mergeFindings(
  repository: Repository,
  found: Finding[],
  fine: Operation[] = [],
): Promise<Finding[]> {
  const { workTree, prefix, gitDirectory } = repository
  const operation = findOperation(gitDirectory)
  const unmerged = await listUnmerged(repository)
  const unnamed = unmerged.filter(name => !found.some(({ message }) => message.includes(name)))
  const finding = (message: string, fix: string): Finding[] => [
    { kind: 'git', loop_app_id: null, message, fix },
  ]
  const next = operation ? waysOut(operation, workTree) : `${gitIn(workTree)} commit`
  if (unnamed.length > 0)
    return finding(
      `both sides of a ${operation ?? 'merge'} have changed ${shorten(unnamed)}`,
      `choose between the sides, then: ${gitIn(path.join(workTree, prefix))} add <file>   and: ${next}`,
    )
  return operation && !fine.includes(operation)
    ? finding(`a ${operation} is in progress`, `finish it or abort it: ${next}`)
    : []
}
