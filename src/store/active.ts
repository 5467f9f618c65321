import { lstatSync, readlinkSync } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'
import { anotherActiveHint } from './folders.ts'
import { readPlainText } from './plain.ts'

/** What the `active` link may say. A pulled branch must not be able to point it anywhere else. */
const TARGET = /^v([1-9][0-9]{0,8})\/?$/
/** Of the file that a clone without symbolic links has instead. */
const MAX_BYTES = 64

/** Number of the active version; `undefined` before the first promotion. Clones without symbolic links have a small text file instead. */
export async function findActive(app: LoopApp): Promise<number | undefined> {
  return peekActive(app)
}

/** The same for whoever puts another link in its place: `null` when there is a link or a file that names no version. */
export async function findReplaced(app: LoopApp): Promise<number | null | undefined> {
  try {
    return peekActive(app)
  } catch (error) {
    const stat = lstatSync(app.paths.active, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink() || stat?.isFile()) return null
    throw error
  }
}

/** The same at once: a few microseconds, for every execution that is served. */
export function peekActive(app: LoopApp): number | undefined {
  const target = readTarget(app)
  if (target === undefined) return undefined
  const match = TARGET.exec(target)
  if (match) return Number(match[1])
  throw broken(app, `points at ${JSON.stringify(target.slice(0, 100))}, not at a version`)
}

function broken(app: LoopApp, why: string, cause?: unknown): LoopaiError {
  const hint = anotherActiveHint(app)
  return new LoopaiError('INTEGRITY', `${app.id}: active ${why}`, { hint, cause })
}

function readTarget(app: LoopApp): string | undefined {
  const link = app.paths.active
  try {
    return readlinkSync(link)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code !== 'EINVAL') throw broken(app, 'cannot be read', error)
  }
  try {
    return readPlainText(link, MAX_BYTES).trim()
  } catch (error) {
    throw broken(app, 'cannot be read', error)
  }
}
