import { lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../domain/sha256.ts'
import type { Version } from '../domain/version.ts'
import { cacheFact, findFact } from './cache.ts'

/** A file that was written this shortly before it was looked at may change once more without showing it. */
export const SETTLED_MS = 2_000

/** What a version's files look like from outside. Anything that is done to one of them shows in its inode, size or times. */
export interface Appearance {
  text: string
  isSettled: boolean
}

export function appearanceOf(version: Version): Appearance {
  const { lines, newest } = look(version)
  return { text: sha256(lines.join('\n')), isSettled: Date.now() - newest > SETTLED_MS }
}

/** Times of files are as coarse as the clock of the kernel. */
const TICK_MS = 10

/** True when nothing has been done to the files of a version since some time. */
export function isOlderThan(version: Version, since: number): boolean {
  try {
    return look(version).newest < since - TICK_MS
  } catch {
    return false
  }
}

/**
 * Waits until nothing can be done to the files of a version any more that would not show, and returns what they look like then. Nothing,
 * when they keep changing.
 */
export async function settledAppearance(version: Version): Promise<Appearance | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { lines, newest } = look(version)
    const age = Date.now() - newest
    // Far in the future, it is the clock of another machine.
    if (age > 2 * TICK_MS || age < -SETTLED_MS)
      return { text: sha256(lines.join('\n')), isSettled: age > SETTLED_MS }
    await sleep(TICK_MS)
  }
}

/** Device and inode of the folder itself. */
export function folderOf({ directory }: Version): string {
  const { dev, ino } = lstatSync(directory, { bigint: true })
  return `${dev}:${ino}`
}

/** Looks at the files of a version. The function says whether anything was done to them since. */
export function observeFiles(version: Version): () => boolean {
  const before = describe(version)
  return () => before === undefined || describe(version) !== before
}

/** Nothing when they are not all there. */
function describe(version: Version): string | undefined {
  try {
    return look(version).lines.join('\n')
  } catch {
    return undefined
  }
}

function look({ directory, manifest }: Version): { lines: string[]; newest: number } {
  const lines = [manifest.digest]
  let newest = 0
  const visit = (place: string) => {
    const stat = lstatSync(place, { bigint: true })
    newest = Math.max(newest, Number(stat.ctimeNs / 1_000_000n))
    lines.push([place, stat.mode, stat.nlink, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' '))
    if (stat.isDirectory()) for (const name of readdirSync(place).sort()) visit(path.join(place, name))
  }
  visit(directory)
  return { lines, newest }
}

/** True when these very files were verified before on this machine. */
export function isVerified(version: Version, appearance: Appearance): boolean {
  return findFact(factName(version), appearance.text) === true
}

export function rememberVerified(version: Version, appearance: Appearance): void {
  if (appearance.isSettled) cacheFact(factName(version), appearance.text, true)
}

function factName({ directory }: Version): string {
  return path.join('verified', sha256(directory).slice(0, 32))
}
