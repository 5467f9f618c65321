import { readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import { asStored, type CommittedFile } from './commit.ts'
import { git, type Repository } from './git.ts'
import type { IndexChange } from './git-index.ts'

/** What may be there without anybody else having been at it. */
export interface Circumstances {
  /** Hooks ran: what they made of our files does not count. */
  afterHooks?: boolean
  /** Our entries are in the user's index, whose lock we have held since. */
  isPublished?: boolean
}

/** True when a claimed name holds what the write has put there or less, and git knows nothing of it. Empty folders do not count. */
export async function isOnlyOurs(
  repository: Repository,
  claim: string,
  changes: IndexChange[],
  { afterHooks = false, isPublished = false }: Circumstances = {},
): Promise<boolean> {
  if (await isTracked(repository, claim, isPublished)) return false
  const ours = new Map(changes.map(change => [change.path, change.after?.split(' ')[1]]))
  const listed = await listEntries(repository.workTree, claim)
  const found = afterHooks ? listed.filter(({ name }) => !name.includes('/__pycache__/')) : listed
  if (found.some(({ name, isPlain }) => !isPlain || !ours.has(name))) return false
  if (afterHooks) return true
  const files = await Promise.all(
    found.map(({ name, isLink }) => readEntry(repository.workTree, name, isLink)),
  )
  const stored = await asStored(repository, files, name => name !== claim)
  return stored.every(file => file.id === ours.get(file.path))
}

/** True when a path holds something else than what it held before the write, or what the write makes of it. */
export async function isEdited(
  repository: Repository,
  { path: name, before, after }: IndexChange,
): Promise<boolean> {
  const found = await findObject(repository, name)
  const idOf = (object: string | null) => object?.split(' ')[1]
  return idOf(found) !== idOf(before) && idOf(found) !== idOf(after)
}

/** `mode id` that git would have for what is at a path now; `null` for nothing. */
export async function findObject(repository: Repository, name: string): Promise<string | null> {
  const entries = await listEntries(repository.workTree, name).catch(() => [])
  const entry = entries.find(one => one.name === name)
  if (!entry?.isPlain) return entries.length > 0 ? 'a folder or a device' : null
  const file = await readEntry(repository.workTree, name, entry.isLink)
  const [stored] = await asStored(repository, [file], () => false)
  return `${file.mode} ${stored!.id}`
}

async function isTracked({ workTree }: Repository, claim: string, isPublished: boolean): Promise<boolean> {
  const commands = [['ls-tree', '-r', '--name-only', '--full-tree', 'HEAD']]
  if (!isPublished) commands.push(['ls-files', '--cached'])
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
