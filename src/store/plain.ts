import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'

/**
 * Files of a data directory. A pulled branch may have put anything in their place, so that what is opened is the file itself, never what a
 * link leads to, and no pipe or device, for which one might wait for ever.
 */

/** The whole of a file that is not larger than such a file may be. */
export function readPlain(file: string, maxBytes: number): Buffer {
  return readWith(file, maxBytes, handle => readFileSync(handle))
}

/** The same as text. Takes one `open` and one `fstat` more than reading whatever is there. */
export function readPlainText(file: string, maxBytes: number): string {
  return readWith(file, maxBytes, handle => readFileSync(handle, 'utf8'))
}

/** Opens it, and says how large it is. Whoever opens it closes it. */
export function openPlain(file: string, flags: number): { handle: number; size: number } {
  const handle = openItself(file, flags)
  const stat = fstatSync(handle)
  if (stat.isFile()) return { handle, size: stat.size }
  closeSync(handle)
  throw notPlain(file, 'no plain file')
}

export function notPlain(place: string, what: string, cause?: unknown): LoopaiError {
  return new LoopaiError('INTEGRITY', `${place} is ${what}, and is left alone`, {
    hint: 'put the file or folder itself there',
    cause,
  })
}

function readWith<Content>(file: string, maxBytes: number, read: (handle: number) => Content): Content {
  const { handle, size } = openPlain(file, constants.O_RDONLY)
  try {
    if (size > maxBytes) throw tooLarge(file, maxBytes)
    return read(handle)
  } finally {
    closeSync(handle)
  }
}

function tooLarge(file: string, maxBytes: number): LoopaiError {
  return new LoopaiError('INTEGRITY', `${file} is larger than such a file may be (${maxBytes} bytes)`, {
    hint: 'restore it from git, or move it away',
  })
}

function openItself(file: string, flags: number): number {
  try {
    return openSync(file, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o666)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ELOOP' || code === 'EMLINK') throw notPlain(file, 'a symbolic link', cause)
    // A pipe that nobody reads, or a socket.
    if (code === 'ENXIO') throw notPlain(file, 'no plain file', cause)
    throw cause
  }
}
