import { readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { asStored, type CommittedFile } from './commit.ts'
import { git, type Repository } from './git.ts'
import type { IndexChange } from './git-index.ts'

/** True when a claimed name holds what the write has put there or less, and git knows nothing of it. Empty folders do not count. */
export async function isOnlyOurs(
  repository: Repository,
  claim: string,
  changes: IndexChange[],
): Promise<boolean> {
  if (await isTracked(repository, claim)) return false
  const ours = new Map(changes.map(change => [change.path, change.after?.split(' ')[1]]))
  const found = await listEntries(repository.workTree, claim)
  if (found.some(({ name, isPlain }) => !isPlain || !ours.has(name))) return false
  const files = await Promise.all(
    found.map(({ name, isLink }) => readEntry(repository.workTree, name, isLink)),
  )
  const stored = await asStored(repository, files, name => name !== claim)
  return stored.every(file => file.id === ours.get(file.path))
}

async function isTracked({ workTree }: Repository, claim: string): Promise<boolean> {
  const commands = [
    ['ls-tree', '-r', '--name-only', '--full-tree', 'HEAD'],
    ['ls-files', '--cached'],
  ]
  const said = await Promise.all(
    commands.map(command =>
      git(workTree, ['--literal-pathspecs', ...command, '--', claim], { accept: [128] }),
    ),
  )
  return said.some(Boolean)
}

interface Entry {
  name: string
  isLink: boolean
  /** A file or a link, not a device or a socket. */
  isPlain: boolean
}

/** What is at a name, or below it, folders aside. */
async function listEntries(workTree: string, claim: string): Promise<Entry[]> {
  const parent = path.posix.dirname(claim)
  const below = async (folder: string, only?: string): Promise<Entry[]> => {
    const entries = await readdir(path.join(workTree, folder), { withFileTypes: true })
    const listed = entries
      .filter(entry => only === undefined || entry.name === only)
      .map(async entry => {
        const name = path.posix.join(folder, entry.name)
        if (entry.isDirectory()) return below(name)
        const isLink = entry.isSymbolicLink()
        return [{ name, isLink, isPlain: isLink || entry.isFile() }]
      })
    return (await Promise.all(listed)).flat()
  }
  return below(parent, path.posix.basename(claim))
}

async function readEntry(workTree: string, name: string, isLink: boolean): Promise<CommittedFile> {
  const place = path.join(workTree, name)
  return isLink
    ? { path: name, mode: '120000', content: await readlink(place) }
    : { path: name, mode: '100644', content: await readFile(place) }
}
