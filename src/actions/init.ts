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
  const { repository, undo } = await openOrInitRepository(root)
  try {
    const { changed, commit } = await writeRootFiles(workspace, root)
    return { root, repository: repository.workTree, changed, commit }
  } catch (error) {
    await undo()
    throw error
  }
}

async function writeRootFiles(workspace: Workspace, root: string) {
  return write(workspace, { root }, async transaction => {
    const files = await missingRootFiles(root)
    if (files.length === 0) return { changed: false, commit: null }
    const trailers = { 'Loopai-Op': 'init' }
    return { changed: true, commit: await transaction.commit({ subject: 'loopai: init', trailers, files }) }
  })
}

function defaultRoot(workspace: Workspace): string {
  const known = findRoot(workspace)
  if (known) return known
  return existsSync(path.join(workspace.cwd, 'loop-apps')) ? '.' : 'loopai-data'
}
