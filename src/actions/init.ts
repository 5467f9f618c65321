import { existsSync } from 'node:fs'
import path from 'node:path'
import { missingRootFiles, openOrInitRepository } from '../store/init.ts'
import { findRoot } from '../store/root.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Initialized {
  root: string
  /** Work tree of the repository that holds it. */
  repository: string
  changed: boolean
  commit: string | null
}

/** Makes a data directory: `dir`, else the one named by `--dir`, else this folder when it has the layout, else `./loopai-data`. */
export async function init(workspace: Workspace, dir?: string): Promise<Initialized> {
  const root = path.resolve(workspace.cwd, dir ?? defaultRoot(workspace))
  const repository = await openOrInitRepository(root)
  const commit = await write(workspace, { root }, async transaction => {
    const files = await missingRootFiles(root)
    if (files.length === 0) return null
    return transaction.commit({ subject: 'loopai: init', trailers: { 'Loopai-Op': 'init' }, files })
  })
  return { root, repository: repository.workTree, changed: commit !== null, commit }
}

function defaultRoot(workspace: Workspace): string {
  const known = findRoot(workspace)
  if (known) return known
  return existsSync(path.join(workspace.cwd, 'loop-apps')) ? '.' : 'loopai-data'
}
