import { lstat, readFile, readlink } from 'node:fs/promises'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'

/** What the `active` link may say. A pulled branch must not be able to point it anywhere else. */
const TARGET = /^v([1-9][0-9]{0,8})\/?$/

/** Number of the active version; `undefined` before the first promotion. Clones without symbolic links have a small text file instead. */
export async function findActive(app: LoopApp): Promise<number | undefined> {
  const target = await readTarget(app.paths.active)
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

async function readTarget(link: string): Promise<string | undefined> {
  try {
    return await readlink(link)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code !== 'EINVAL') throw error
  }
  const { size } = await lstat(link)
  return size <= 64 ? (await readFile(link, 'utf8')).trim() : ''
}
