import { existsSync } from 'node:fs'
import path from 'node:path'
import { missingExtras, WORKFLOW } from '../store/extras.ts'
import { missingRootFiles, openOrInitRepository } from '../store/init.ts'
import { findRoot } from '../store/root.ts'
import { addWorkflow } from './add-workflow.ts'
import { type Adopted, adopt } from './adopt.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Initialized {
  root: string
  /** Work tree of the repository that holds it. */
  repository: string
  changed: boolean
  commit: string | null
  /** Apps that were there without manifests, and have them now. */
  adopted: Adopted
  /** Workflow that `with` asked for. */
  workflow: string | null
}

/** Makes a data directory, with the files of `extras` in it: `dir`, else the one named by `--dir`, else this folder when it has the layout, else `./loopai-data`. */
export async function init(workspace: Workspace, dir?: string, extras: string[] = []): Promise<Initialized> {
  const root = path.resolve(workspace.cwd, dir ?? defaultRoot(workspace))
  const { repository, isApart, undo } = await openOrInitRepository(root)
  if (isApart) workspace.report(`${root} is ignored by the repository around it: it becomes one of its own`)
  try {
    const ownExtras = extras.filter(name => name !== WORKFLOW)
    const { changed, commit } = await writeFiles(workspace, root, ownExtras)
    const adopted = await adopt(workspace, root)
    const workflow = extras.includes(WORKFLOW) ? await addWorkflow(workspace, root) : undefined
    return {
      root,
      repository: repository.workTree,
      changed: changed || adopted.length > 0 || Boolean(workflow?.changed),
      commit,
      adopted,
      workflow: workflow?.file ?? null,
    }
  } catch (error) {
    await undo()
    throw error
  }
}

async function writeFiles(workspace: Workspace, root: string, extras: string[]) {
  return write(workspace, { root }, async transaction => {
    const files = [...(await missingRootFiles(root)), ...(await missingExtras(root, extras))]
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
