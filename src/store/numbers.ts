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
export async function nextNumber({ repository, burned }: Transaction, app: LoopApp): Promise<number> {
  const folder = `${repository.prefix}loop-apps/${app.id}/artifacts`
  const [there, history, committed] = await Promise.all([
    listVersions(app),
    readHistory(app),
    committedNames(repository.workTree, folder),
  ])
  const seen = history.flatMap(entry => [entry.from ?? 0, entry.to ?? 0])
  const taken = burned
    .filter(name => name.startsWith(`${folder}/`))
    .map(name => name.slice(folder.length + 1))
  const numbers = [...committed, ...taken].map(name => versionOfName(name) ?? 0)
  return 1 + Math.max(0, ...there, ...seen, ...numbers)
}

/** Names in a folder, as HEAD and its upstream have them. Trees are read as they are stored: `mode name NUL id`. */
async function committedNames(workTree: string, folder: string): Promise<string[]> {
  const input = `HEAD:${folder}\n@{upstream}:${folder}\n`
  const said = (await git(workTree, ['cat-file', '--batch'], { input }))!
  return [...said.matchAll(/40000 (v[1-9][0-9]*)\0/g)].map(match => match[1]!)
}
