import { existsSync } from 'node:fs'
import { mkdir, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'
import { explainWriteError } from './atomic.ts'
import { findHead, findRepository, initRepository, isIgnored, type Repository } from './git.ts'
import { layout } from './layout.ts'
import { readPlainText } from './plain.ts'
import type { CommittedFile } from './transaction.ts'

/** Of one of these files. */
const MAX_BYTES = 1024 * 1024
const MARKER = 'schema_version: 1\n'
const ATTRIBUTES = `loop-apps/*/artifacts/** -text -merge
loop-apps/*/history.jsonl -text merge=union
loop-apps/*/tests/*.jsonl -text merge=union
loop-apps/*/datasets/examples/*.jsonl -text merge=union
`
const IGNORE = `loop-apps/*/datasets/executions/
loop-apps/*/datasets/validations/
loop-apps/*/datasets/analytics/
loop-apps/*/draft/
.tmp-*
`
const BEGIN = '# loopai: begin (kept by loopai init)'
const END = '# loopai: end'

/** The files that make a folder a data directory, as far as it lacks them. */
export async function missingRootFiles(root: string): Promise<CommittedFile[]> {
  const paths = layout(root)
  const files = [
    { file: paths.marker, content: (await readIfThere(paths.marker)) ?? MARKER },
    { file: paths.attributes, content: withBlock(await readIfThere(paths.attributes), ATTRIBUTES) },
    { file: paths.ignore, content: withBlock(await readIfThere(paths.ignore), IGNORE) },
  ]
  const found = await Promise.all(files.map(({ file }) => readIfThere(file)))
  return files
    .filter(({ content }, i) => content !== found[i])
    .map(({ file, content }) => ({ path: path.basename(file), mode: '100644', content }))
}

export interface OpenedRepository {
  repository: Repository
  /** True when it was made because the repository around it ignores the folder. */
  isApart?: boolean
  /** Takes away what was made, as long as nobody has committed anything. */
  undo: () => Promise<void>
}

/** The repository around a folder, or a new one in it. The folder is made when it is missing. */
export async function openOrInitRepository(root: string): Promise<OpenedRepository> {
  const made = await mkdir(root, { recursive: true }).catch(error => {
    throw explainWriteError(error, root)
  })
  try {
    const found = await findRepository(root)
    if (!found) {
      const repository = await initRepository(root)
      return { repository, undo: () => removeNew(repository, made) }
    }
    if (found.prefix !== '' && (await isIgnored(root))) {
      const repository = await initRepository(root)
      return { repository, isApart: true, undo: () => removeNew(repository, made) }
    }
    return { repository: found, undo: () => removeEmpty(root, made) }
  } catch (error) {
    await removeEmpty(root, made)
    throw error
  }
}

async function removeNew(repository: Repository, made: string | undefined): Promise<void> {
  if ((await findHead(repository)) !== undefined) return
  await rm(repository.gitDirectory, { recursive: true, force: true })
  await removeEmpty(repository.workTree, made)
}

/** Removes a folder and those above it, up to the first that was made, as far as nothing is in them. */
async function removeEmpty(folder: string, made: string | undefined): Promise<void> {
  if (made === undefined || !folder.startsWith(made)) return
  try {
    await rmdir(folder)
  } catch {
    return // somebody has put something there
  }
  await removeEmpty(path.dirname(folder), made)
}

/** The text with our block in it, at its old place or at the end. What a person wrote around it stays, and so do its line endings. */
function withBlock(text: string | undefined, block: string): string {
  const lines = `${BEGIN}\n${block}${END}\n`
  const marked = text?.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines
  if (!text) return marked
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin >= 0 && end > begin)
    return text.slice(0, begin) + marked + text.slice(end + END.length).replace(/^\r?\n/, '')
  return `${text.endsWith('\n') ? text : `${text}\n`}${marked}`
}

async function readIfThere(file: string): Promise<string | undefined> {
  return existsSync(file) ? readPlainText(file, MAX_BYTES) : undefined
}
