import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Archive } from './archive.ts'
import { explainWriteError, temporaryName } from './atomic.ts'
import type { Commit } from './change.ts'
import type { CommittedFile } from './commit.ts'
import { stage } from './placing.ts'
import type { DataDirectory } from './root.ts'

/** A whole app under a temporary name, for a transaction to put in place. */
export interface StagedApp {
  directory: string
  /** What is committed of it: of the datasets, those that are tracked. */
  commit: (track: string[]) => Pick<Commit, 'files' | 'folders'>
}

/** Unpacks an archive under the id that the app gets here. The contents have been checked for their places, and for nothing else. */
export async function stageFiles(
  data: DataDirectory,
  id: string,
  { table, files }: Archive,
): Promise<StagedApp> {
  const directory = temporaryName(data.paths.app(id).directory)
  const to = `loop-apps/${id}`
  const contents = [...files.values()].map(file => ({
    ...file,
    content: renamed(file.path, file.content, id),
  }))
  try {
    for (const { path: name, content, executable } of contents) {
      await stage(path.join(directory, ...name.split('/')), executable ? '100755' : '100644', content)
    }
    if (table.active !== null)
      await stage(path.join(directory, 'artifacts', 'active'), '120000', `v${table.active}`)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw explainWriteError(error, directory)
  }
  return { directory, commit }

  function commit(track: string[]): Pick<Commit, 'files' | 'folders'> {
    const isTracked = (name: string) => !name.startsWith('datasets/') || track.includes(name.split('/')[1]!)
    const plain = contents
      .filter(({ path: name }) => isTracked(name))
      .map(
        ({ path: name, content, executable }): CommittedFile => ({
          path: `${to}/${name}`,
          mode: executable ? '100755' : '100644',
          content,
        }),
      )
    const link: CommittedFile[] =
      table.active === null
        ? []
        : [{ path: `${to}/artifacts/active`, mode: '120000', content: `v${table.active}` }]
    return { files: [...plain, ...link], folders: [{ from: directory, to }] }
  }
}

/** Its id is in the configuration and in the manifests, and no part of any digest. */
function renamed(name: string, content: Buffer, id: string): Buffer {
  if (name === 'config.yaml') {
    return Buffer.from(content.toString().replace(/^loop_app_id:.*$/m, () => `loop_app_id: ${id}`))
  }
  if (!/^artifacts\/v\d+\/manifest\.json$/.test(name)) return content
  return Buffer.from(
    content.toString().replace(/^ {2}"loop_app_id": "[^"]*"/m, () => `  "loop_app_id": "${id}"`),
  )
}
