import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { explainWriteError, temporaryName } from './atomic.ts'
import type { Commit } from './change.ts'
import { isThere } from './placing.ts'
import type { DataDirectory } from './root.ts'

/** What a new app begins with. */
export interface NewApp {
  id: string
  config: string
  examples: Example[]
  /** Golden cases as the lines of a file. */
  cases: string
}

/** Fills the folder of a new app under a temporary name, for a transaction to put in place. */
export async function stageApp(data: DataDirectory, app: NewApp): Promise<Pick<Commit, 'files' | 'folders'>> {
  const { directory } = data.paths.app(app.id)
  await refuseExisting(data, [app.id])
  const from = temporaryName(directory)
  const contents = contentsOf(app)
  try {
    for (const [name, content] of contents) {
      await mkdir(path.dirname(path.join(from, name)), { recursive: true })
      await writeFile(path.join(from, name), content, { flag: 'wx' })
    }
  } catch (error) {
    await rm(from, { recursive: true, force: true })
    throw explainWriteError(error, directory)
  }
  const to = `loop-apps/${app.id}`
  const files = contents.map(([name, content]) => ({
    path: `${to}/${name}`,
    mode: '100644' as const,
    content,
  }))
  return { files, folders: [{ from, to }] }
}

function contentsOf({ config, examples, cases }: NewApp): [string, string][] {
  const rows = examples.map(({ input, output }) => `${JSON.stringify({ input, output })}\n`).join('')
  return [
    ['config.yaml', config],
    ['tests/cases.jsonl', cases],
    ...(rows ? [['datasets/examples/examples.jsonl', rows] as [string, string]] : []),
  ]
}

/** For several apps at once, before the first of them is made. */
export async function refuseExisting(data: DataDirectory, ids: string[]): Promise<void> {
  for (const [i, id] of ids.entries()) {
    const isTaken = ids.indexOf(id) < i || (await isThere(data.paths.app(id).directory))
    if (!isTaken) continue
    throw new LoopaiError('APP_EXISTS', `there is a Loop App ${id} already`, {
      hint: `look at it with: loopai show ${id}   or choose another id`,
    })
  }
}
