import { closeSync, lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'
import { versionOfName } from './layout.ts'
import { notPlain, openPlain } from './plain.ts'

/** Folders from `loop-apps` down to one with records: a repository from elsewhere could bring links in their place. */
const OWN_FOLDERS = 4

/** Opens a file of records, never one that a link leads to. Whoever opens it closes it. */
export function openRecords(file: string, flags: number): number {
  const folder = path.dirname(file)
  refuseLinks(folder)
  const { handle } = openPlain(file, flags)
  try {
    // A pull may have put a link there meanwhile.
    refuseLinks(folder)
    return handle
  } catch (error) {
    closeSync(handle)
    throw error
  }
}

/** Throws when `loop-apps` or an app in it is a link: what is written would land elsewhere, and git would have the link replaced. */
export function refuseLink(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) throw reachedThroughLink(folder)
}

export function reachedThroughLink(folder: string): LoopaiError {
  return new LoopaiError('INTEGRITY', `${folder} is reached through a symbolic link`, {
    hint: 'put the folder itself there',
    details: { link: folder },
  })
}

/** Throws when a folder of records, or one on the way to it, is a link. Those that are missing are none. */
export function refuseLinks(folder: string): void {
  let place = folder
  for (let depth = 0; depth < OWN_FOLDERS; depth++, place = path.dirname(place)) {
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink())
      throw notPlain(place, 'a symbolic link')
  }
}

/**
 * Symbolic links in an app's folder, relative to it, but for the active one, under its temporary names too. What is in a version is left
 * to its digest.
 */
export async function findLinks({ paths }: LoopApp): Promise<string[]> {
  const links: string[] = []
  const walk = async (folder: string): Promise<void> => {
    const isArtifacts = folder === paths.artifacts
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const place = path.join(folder, entry.name)
      const isOurs = isArtifacts && (place === paths.active || entry.name.startsWith('.tmp-'))
      const isVersion = isArtifacts && versionOfName(entry.name) !== undefined
      if (entry.isSymbolicLink() && !isOurs) links.push(place)
      if (entry.isDirectory() && !isVersion) await walk(place)
    }
  }
  await walk(paths.directory)
  return links.map(link => path.relative(paths.directory, link)).sort()
}
