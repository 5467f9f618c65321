import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isObject } from '../domain/json.ts'
import { quoted } from './git-words.ts'

/**
 * Small facts about this machine, as JSON in the user's cache directory. Anything may vanish from it at any time; a cache that cannot be
 * read or written costs time and nothing else.
 */

/** The fact that was cached under this name, if it was cached for the same key. One small read: this is on the way of every execution. */
export function findFact(name: string, key: string): unknown {
  if (problemOfCache()) return undefined
  try {
    const fact: unknown = JSON.parse(readFileSync(factFile(name), 'utf8'))
    return isObject(fact) && fact.key === key ? fact.value : undefined
  } catch {
    return undefined
  }
}

/** Replaces the fact atomically: a reader sees the old one or the new one. */
export function cacheFact(name: string, key: string, value: unknown): void {
  if (problemOfCache()) return
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

export interface CacheProblem {
  message: string
  fix: string
  /** Whether this user's folder holds what others have put there. */
  isForeign: boolean
}

/**
 * Why no fact is taken from the cache: some of them are code that runs here with all rights, and others than this user may have put them
 * there. Looked at once for each folder.
 */
export function problemOfCache(): CacheProblem | undefined {
  const folder = cacheDirectory()
  if (folder !== judged?.folder) judged = { folder, problem: judge(folder) }
  return judged.problem
}

let judged: { folder: string; problem: CacheProblem | undefined } | undefined

function judge(folder: string): CacheProblem | undefined {
  const { uid, mode } = look(folder) ?? {}
  const user = process.getuid?.()
  if (user !== undefined && uid !== undefined && uid !== user && uid !== 0) {
    return {
      message: `the cache ${folder} belongs to another user, and is not used`,
      fix: 'name a folder of your own with LOOPAI_CACHE_DIR',
      isForeign: true,
    }
  }
  if (user !== undefined && mode !== undefined && (mode & OTHERS_WRITE) !== 0) {
    return {
      message: `others may write to the cache ${folder}, and it is not used`,
      fix: `chmod go-w ${quoted(folder)}`,
      isForeign: true,
    }
  }
  // A home folder that is a repository is its user's own; a folder that was named may lie in what is pulled.
  if (process.env.LOOPAI_CACHE_DIR && isInWorkTree(folder)) {
    return {
      message: `the cache ${folder} lies in a repository, where a branch that is pulled could put something into it; only installed packages are kept there`,
      fix: 'name a folder outside of it with LOOPAI_CACHE_DIR',
      isForeign: false,
    }
  }
  return undefined
}

const OTHERS_WRITE = 0o022

/** Nothing when it is not there, or cannot be. */
function look(folder: string): Stats | undefined {
  try {
    return statSync(folder)
  } catch {
    return undefined
  }
}

function isInWorkTree(folder: string): boolean {
  if (existsSync(path.join(folder, '.git'))) return true
  const parent = path.dirname(folder)
  return parent !== folder && isInWorkTree(parent)
}

/** The user's own folder for what can be made again. */
export function cacheDirectory(): string {
  const { LOOPAI_CACHE_DIR, XDG_CACHE_HOME } = process.env
  if (LOOPAI_CACHE_DIR) return path.resolve(LOOPAI_CACHE_DIR)
  return path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'loopai')
}
