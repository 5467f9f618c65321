import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type CreateRequest, create } from '../../src/actions/create.ts'
import { init } from '../../src/actions/init.ts'
import { createWorkspace, type Workspace } from '../../src/actions/workspace.ts'
import type { Example } from '../../src/domain/example.ts'
import { temporaryFolder, USER_ENV } from './repository.ts'

export interface TestApp {
  id: string
  workspace: Workspace
  /** The folder of the app. */
  folder: string
  /** Writes a file below the folder of the app, and returns its path. */
  put: (name: string, content: string) => string
  /** What the workspace was told. */
  said: string[]
}

/** An app in a data directory of its own. */
export async function createApp(
  examples: Example[],
  request: Partial<CreateRequest> & { settings?: string } = {},
): Promise<TestApp> {
  Object.assign(process.env, USER_ENV)
  const outside = temporaryFolder()
  const root = path.join(outside, 'data')
  const said: string[] = []
  const workspace = createWorkspace({ dir: root, report: sentence => said.push(sentence) })
  await init(workspace, root)
  const id = 'test-001'
  const { settings = '', ...rest } = request
  const rows = path.join(outside, 'rows.jsonl')
  writeFileSync(rows, examples.map(row => `${JSON.stringify(row)}\n`).join(''))
  await create(workspace, { id, task: 'Tell the labels apart', examples: rows, ...rest })
  const folder = path.join(root, 'loop-apps', id)
  const put = (name: string, content: string) => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  }
  if (settings) put('config.yaml', `${readFileSync(path.join(folder, 'config.yaml'), 'utf8')}${settings}\n`)
  return { id, workspace, folder, put, said }
}
