import type { LoopApp } from './apps.ts'
import { git } from './git.ts'
import { readHistory } from './history.ts'
import { versionOfName } from './layout.ts'
import type { Transaction } from './transaction.ts'
import { listVersions } from './versions.ts'

/**
 * The number of the version that is made next: one more than the highest in the folder, in the history, in HEAD, upstream as far as it
 * is known here, and among those that a crash took back. Numbers are never used twice.
 */
export async function nextNumber(
  { repository, burned, hasUpstream }: Transaction,
  app: LoopApp,
): Promise<number> {
  const folder = `${repository.prefix}loop-apps/${app.id}/artifacts`
  const [there, history, committed, upstream] = await Promise.all([
    listVersions(app),
    readHistory(app),
    committedNames(repository.workTree, `HEAD:${folder}`),
    hasUpstream ? committedNames(repository.workTree, `@{upstream}:${folder}`) : [],
  ])
  const seen = history.flatMap(entry => [entry.from ?? 0, entry.to ?? 0])
  const taken = burned
    .filter(name => name.startsWith(`${folder}/`))
    .map(name => name.slice(folder.length + 1))
  const numbers = [...committed, ...upstream, ...taken].map(name => versionOfName(name) ?? 0)
  return 1 + Math.max(0, ...there, ...seen, ...numbers)
}

/** Names in a folder of a commit; none when there is no such commit or folder. */
async function committedNames(workTree: string, tree: string): Promise<string[]> {
  const names = await git(workTree, ['ls-tree', '--name-only', '-z', tree], { accept: [128] })
  return names?.split('\0') ?? []
}
