import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isObject } from '../domain/json.ts'

/**
 * Small facts about this machine, as JSON in the user's cache directory. Anything may vanish from it at any time; a cache that cannot be
 * read or written costs time and nothing else.
 */

/** The fact that was cached under this name, if it was cached for the same key. One small read: this is on the way of every execution. */
export function findFact(name: string, key: string): unknown {
  try {
    const fact: unknown = JSON.parse(readFileSync(factFile(name), 'utf8'))
    return isObject(fact) && fact.key === key ? fact.value : undefined
  } catch {
    return undefined
  }
}

/** Replaces the fact atomically: a reader sees the old one or the new one. */
export function cacheFact(name: string, key: string, value: unknown): void {
  const file = factFile(name)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(temporary, JSON.stringify({ key, value }), { mode: 0o600 })
    renameSync(temporary, file)
  } catch {
    removeQuietly(temporary)
  }
}

export function forgetFact(name: string): void {
  removeQuietly(factFile(name))
}

/** What cannot be removed will be found wrong again. */
function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {}
}

function factFile(name: string): string {
  return path.join(cacheDirectory(), `${name}.json`)
}

/** The user's own folder for what can be made again. */
export function cacheDirectory(): string {
  const { LOOPAI_CACHE_DIR, XDG_CACHE_HOME } = process.env
  if (LOOPAI_CACHE_DIR) return path.resolve(LOOPAI_CACHE_DIR)
  return path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'loopai')
}
