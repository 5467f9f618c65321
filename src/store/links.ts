import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'
import { versionOfName } from './layout.ts'

/** Folders from `loop-apps` down to one with records: a repository from elsewhere could bring links in their place. */
const OWN_FOLDERS = 4

/** Opens a file of records, never one that a link leads to. Whoever opens it closes it. */
export function openRecords(file: string, flags: number): number {
  const folder = path.dirname(file)
  refuseLinks(folder)
  const handle = openPlain(file, flags)
  try {
    // A pull may have put a link there meanwhile.
    refuseLinks(folder)
    return handle
  } catch (error) {
    closeSync(handle)
    throw error
  }
}

/** Throws when a folder of records, or one on the way to it, is a link. Those that are missing are none. */
export function refuseLinks(folder: string): void {
  let place = folder
  for (let depth = 0; depth < OWN_FOLDERS; depth++, place = path.dirname(place)) {
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) throw isLink(place)
  }
}

function openPlain(file: string, flags: number): number {
  try {
    return openSync(file, flags | constants.O_NOFOLLOW)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw code === 'ELOOP' || code === 'EMLINK' ? isLink(file, cause) : cause
  }
}

function isLink(place: string, cause?: unknown): LoopaiError {
  return new LoopaiError('INTEGRITY', `${place} is a symbolic link, and records are written through none`, {
    hint: 'put the file or folder itself there',
    cause,
  })
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
