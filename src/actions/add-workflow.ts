import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { packageFile } from '../package.ts'
import { openRepository } from '../store/git.ts'
import { isThere } from '../store/placing.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

const FILE = '.github/workflows/loop-apps.yaml'

/** Puts a workflow for GitHub Actions into the repository of a data directory. One that is there already is left as it is. */
export async function addWorkflow(
  workspace: Workspace,
  root: string,
): Promise<{ file: string; changed: boolean }> {
  const { workTree, prefix } = await openRepository(root)
  const file = path.join(workTree, FILE)
  if (await isThere(file)) return { file, changed: false }
  const content = workflowFor(
    prefix.replace(/\/$/, ''),
    await readFile(packageFile('templates', 'ci', 'github-actions.yaml'), 'utf8'),
  )
  await write(workspace, { root: workTree }, transaction =>
    transaction.commit({
      subject: 'loopai: add a workflow for pull requests and promotions',
      trailers: { 'Loopai-Op': 'init' },
      files: [{ path: FILE, mode: '100644', content }],
    }),
  )
  return { file, changed: true }
}

/** The folder of the data directory in the repository, as YAML takes it whatever it is called. */
function workflowFor(folder: string, template: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`
  return template
    .replace("'DATA_DIRECTORY/**'", () => quote(`${folder === '' ? 'loop-apps' : folder}/**`))
    .replace('LOOPAI_DIR: DATA_DIRECTORY', () => `LOOPAI_DIR: ${quote(folder || '.')}`)
}
