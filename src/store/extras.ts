import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { closest } from '../domain/problems.ts'
import { LOOPAI_VERSION, packageFile } from '../package.ts'
import type { CommittedFile } from './transaction.ts'

/** The extra that belongs into the repository rather than into the data directory. */
export const WORKFLOW = 'github-actions'

/** Files that `init --with` adds to a data directory. Those that are there already are left as they are. */
export async function missingExtras(root: string, names: string[]): Promise<CommittedFile[]> {
  const files = await Promise.all(names.map(readExtra))
  return files.flat().filter(file => !existsSync(path.join(root, file.path)))
}

async function readExtra(name: string): Promise<CommittedFile[]> {
  const known = await listExtras()
  if (!known.includes(name)) {
    const like = closest(name, known)
    throw new LoopaiError('USAGE', `init has nothing called ${name} to add`, {
      hint: like ? `did you mean ${like}?` : `it can add: ${known.join(', ')}`,
    })
  }
  const folder = packageFile('templates', 'with', name)
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  const places = entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name))
  return Promise.all(
    places.sort().map(async place => ({
      path: path.relative(folder, place).split(path.sep).join('/'),
      mode: '100644' as const,
      content: (await readFile(place, 'utf8')).replaceAll('@VERSION@', LOOPAI_VERSION),
    })),
  )
}

async function listExtras(): Promise<string[]> {
  return [...(await readdir(packageFile('templates', 'with'))), WORKFLOW].sort()
}
