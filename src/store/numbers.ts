import type { LoopApp } from './apps.ts'
import { git } from './git.ts'
import { versionOfName } from './layout.ts'
import type { Transaction } from './transaction.ts'
import { listVersions } from './versions.ts'

/**
 * The number of the next version: one more than the highest in the folder, in HEAD, upstream as far as it is known here, and among those
 * that a crash took back.
 */
export async function nextVersion({ repository, burned }: Transaction, app: LoopApp): Promise<number> {
  const folder = `${repository.prefix}loop-apps/${app.id}/artifacts`
  const [there, committed] = await Promise.all([
    listVersions(app),
    committedNames(repository.workTree, folder),
  ])
  const taken = burned
    .filter(name => name.startsWith(`${folder}/`))
    .map(name => name.slice(folder.length + 1))
  const numbers = [...committed, ...taken].map(name => versionOfName(name) ?? 0)
  return Math.max(0, ...there, ...numbers) + 1
}

/** Names in a folder, as HEAD and its upstream have them. Trees are read as they are stored: `mode name NUL id`. */
async function committedNames(workTree: string, folder: string): Promise<string[]> {
  const input = `HEAD:${folder}\n@{upstream}:${folder}\n`
  const said = (await git(workTree, ['cat-file', '--batch'], { input }))!
  return [...said.matchAll(/40000 (v[1-9][0-9]*)\0/g)].map(match => match[1]!)
}
