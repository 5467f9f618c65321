import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'

/** What the `active` link may say. A pulled branch must not be able to point it anywhere else. */
const TARGET = /^v([1-9][0-9]{0,8})\/?$/

/** Number of the active version; `undefined` before the first promotion. Clones without symbolic links have a small text file instead. */
export async function findActive(app: LoopApp): Promise<number | undefined> {
  return peekActive(app)
}

/** The same at once: a few microseconds, for every execution that is served. */
export function peekActive(app: LoopApp): number | undefined {
  const target = readTarget(app.paths.active)
  if (target === undefined) return undefined
  const match = TARGET.exec(target)
  if (match) return Number(match[1])
  throw new LoopaiError(
    'INTEGRITY',
    `${app.id}: active points at ${JSON.stringify(target.slice(0, 100))}, not at a version`,
    {
      hint: `restore it: git checkout HEAD -- ${app.paths.active}`,
    },
  )
}

function readTarget(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code !== 'EINVAL') throw error
  }
  const { size } = lstatSync(link)
  return size <= 64 ? readFileSync(link, 'utf8').trim() : ''
}
