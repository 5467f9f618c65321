import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { explainWriteError, temporaryName } from './atomic.ts'
import type { DataDirectory } from './root.ts'
import type { CommittedFile } from './transaction.ts'
import { exists } from './versions.ts'

/** What a new app begins with. */
export interface NewApp {
  id: string
  config: string
  examples: Example[]
  /** Golden cases as the lines of a file. */
  cases: string
}

/** Makes the folder of a new app, whole or not at all. `undo` takes it away again. */
export async function placeApp(
  data: DataDirectory,
  app: NewApp,
): Promise<{ files: CommittedFile[]; undo: () => Promise<void> }> {
  const { directory } = data.paths.app(app.id)
  if (await exists(directory)) throw appExists(app.id)
  const staged = temporaryName(directory)
  const contents = contentsOf(app)
  try {
    for (const [name, content] of contents) {
      await mkdir(path.dirname(path.join(staged, name)), { recursive: true })
      await writeFile(path.join(staged, name), content, { flag: 'wx' })
    }
    await rename(staged, directory)
  } catch (error) {
    await rm(staged, { recursive: true, force: true })
    if (['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw appExists(app.id)
    throw explainWriteError(error, directory)
  }
  const files = contents.map(([name, content]) => ({
    path: `loop-apps/${app.id}/${name}`,
    mode: '100644' as const,
    content,
  }))
  return { files, undo: () => rm(directory, { recursive: true, force: true }) }
}

function contentsOf({ config, examples, cases }: NewApp): [string, string][] {
  const rows = examples.map(({ input, output }) => `${JSON.stringify({ input, output })}\n`).join('')
  return [
    ['config.yaml', config],
    ['tests/cases.jsonl', cases],
    ...(rows ? [['datasets/examples/examples.jsonl', rows] as [string, string]] : []),
  ]
}

function appExists(id: string): LoopaiError {
  return new LoopaiError('APP_EXISTS', `there is a Loop App ${id} already`, {
    hint: `look at it with: loopai show ${id}   or choose another id`,
  })
}
