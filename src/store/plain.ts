import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'

/**
 * Files of a data directory. A pulled branch may have put anything in their place, so that what is opened is the file itself, never what a
 * link leads to, and no pipe or device, for which one might wait for ever.
 */

/** The whole of a file that is not larger than such a file may be, and what it looked like before it was read. */
export function readPlain(file: string, maxBytes: number, look?: (stat: Stats) => void): Buffer {
  return readWith(file, maxBytes, (handle, stat) => {
    look?.(stat)
    return fill(Buffer.allocUnsafeSlow(stat.size), handle, stat.size)
  })
}

/** Most files are smaller: their bytes need no memory of their own on the way to a text. */
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** The same as text. It costs what `readFileSync` does, which asks for less and reads twice. */
export function readPlainText(file: string, maxBytes: number, look?: (stat: Stats) => void): string {
  return readWith(file, maxBytes, (handle, stat) => {
    look?.(stat)
    const buffer = stat.size <= shared.length ? shared : Buffer.allocUnsafeSlow(stat.size)
    return fill(buffer, handle, stat.size).toString()
  })
}

/** Opens it. Whoever opens it closes it. */
export function openPlain(file: string, flags: number): { handle: number; stat: Stats } {
  const handle = openItself(file, flags)
  const stat = fstatSync(handle)
  if (stat.isFile()) return { handle, stat }
  closeSync(handle)
  throw notPlain(file, 'no plain file')
}

export function notPlain(place: string, what: string, cause?: unknown): LoopaiError {
  return new LoopaiError('INTEGRITY', `${place} is ${what}, and is left alone`, {
    hint: 'put the file or folder itself there',
    cause,
  })
}

function readWith<Content>(
  file: string,
  maxBytes: number,
  read: (handle: number, stat: Stats) => Content,
): Content {
  const { handle, stat } = openPlain(file, constants.O_RDONLY)
  try {
    if (stat.size > maxBytes) throw tooLarge(file, maxBytes)
    return read(handle, stat)
  } finally {
    closeSync(handle)
  }
}

/** As much of a file as was there when it was opened: less when it was cut since, never more. */
function fill(buffer: Buffer, handle: number, size: number): Buffer {
  let filled = 0
  while (filled < size) {
    const read = readSync(handle, buffer, filled, size - filled, null)
    if (read === 0) break
    filled += read
  }
  return buffer.subarray(0, filled)
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
