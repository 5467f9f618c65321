import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'

/** Puts a whole file in place: a reader sees the old content or the new, never a part of it, also after a crash. */
export async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(file)
  try {
    const handle = await open(temporary, 'wx', 0o644)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw explainWriteError(error, file)
  }
}

/**
 * Gives a file a second name, unless that is taken. On a file system without hard links (exFAT, some network and FUSE ones) it is a copy,
 * of which others may see the beginning: whoever reads it knows the whole by its content.
 */
export async function takeName(own: string, name: string): Promise<boolean> {
  try {
    await link(own, name).catch(error => {
      if (!NO_LINKS.includes(error.code)) throw error
      return copyFile(own, name, constants.COPYFILE_EXCL)
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** How file systems say that they have no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/** A name beside `file` that nobody else uses; git ignores names like it in a data directory. */
export function temporaryName(file: string): string {
  return path.join(path.dirname(file), `.tmp-${process.pid}-${randomBytes(4).toString('hex')}`)
}

/** Turns what the file system refuses into an error that a user can act on. Anything else is returned as it is. */
export function explainWriteError(
  cause: unknown,
  place: string,
  elsewhere = 'name another data directory with --dir',
): unknown {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const hint = 'free some space and repeat the command; nothing was changed'
    return new LoopaiError('DISK_FULL', `no space left for ${place}`, { hint, cause })
  }
  const isForbidden = code === 'EROFS' || code === 'EACCES' || code === 'EPERM'
  const isNoPlace = code === 'EISDIR' || code === 'ENOTDIR'
  // A recursive mkdir says ENOENT where the file system is read-only.
  const isMissing = code === 'ENOENT' && (syscall === 'mkdir' || syscall === 'open')
  if (isForbidden || isNoPlace || isMissing) {
    const hint = `check the path and the permissions, or ${elsewhere}`
    return new LoopaiError('NOT_WRITABLE', `cannot write ${place} (${code})`, { hint, cause })
  }
  return cause
}
