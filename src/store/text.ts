import { open } from 'node:fs/promises'
import path from 'node:path'
import { TextDecoder } from 'node:util'
import { LoopaiError } from '../domain/errors.ts'
import { restoring } from './git-words.ts'
import { readPlain } from './plain.ts'

/** A whole file as text. Accepts a byte order mark and CRLF; refuses what is too large or not UTF-8, naming the place. */
export async function readText(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, 'r').catch(error => {
    throw explainReadError(error, file)
  })
  try {
    const { size } = await handle.stat()
    if (size > maxBytes) {
      const limit = `${Math.round(maxBytes / 1024)} KB`
      throw new LoopaiError('FILE_UNREADABLE', `${file} is larger than ${limit}`, {
        hint: 'is it the right file?',
      })
    }
    return decodeUtf8(await handle.readFile(), file)
  } catch (error) {
    throw explainReadError(error, file)
  } finally {
    await handle.close()
  }
}

/** The same of a file of the data directory. */
export function readOwnText(file: string, maxBytes: number): string {
  try {
    return decodeUtf8(readPlain(file, maxBytes), file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw explainReadError(error, file, code === 'ENOENT' ? restoring(file) : undefined)
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })

/** Strict UTF-8 without a byte order mark. `name` is what error messages call the source. */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return UTF_8.decode(bytes)
  } catch (cause) {
    refuseForeign(bytes, name)
    throw new LoopaiError('FILE_UNREADABLE', `${name} is not valid UTF-8`, {
      hint: 'convert it with: iconv -f WINDOWS-1252 -t UTF-8',
      cause,
    })
  }
}

/** Refuses what begins like a compressed file or like UTF-16, much of which is valid UTF-8 and nonsense. */
export function refuseForeign(bytes: Uint8Array, name: string): void {
  const refuse = (what: string, hint: string) => {
    throw new LoopaiError('FILE_UNREADABLE', `${name} ${what}`, { hint })
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) refuse('is compressed', 'unpack it first with: gunzip')
  if (isMarkedUtf16(bytes)) refuse('is UTF-16, not UTF-8', 'convert it with: iconv -f UTF-16 -t UTF-8')
  const order = orderOfZeros(bytes.subarray(0, 64))
  if (order) refuse('looks like UTF-16', `convert it with: iconv -f UTF-16${order} -t UTF-8`)
}

/** In UTF-16 one half of most pairs of bytes is zero: the second when the little end comes first. */
function orderOfZeros(bytes: Uint8Array): 'LE' | 'BE' | undefined {
  const zeros = [...bytes.keys()].filter(i => bytes[i] === 0)
  if (zeros.length < 2 || zeros.some(i => i % 2 !== zeros[0]! % 2)) return undefined
  return zeros[0]! % 2 === 1 ? 'LE' : 'BE'
}

/** Whether there is a byte order mark. */
export function isMarkedUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

/** Like `decodeUtf8`, and UTF-16 too when a byte order mark says so, as spreadsheets write it. */
export function decodeText(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return decodeUtf8(bytes, name)
}

export function explainReadError(cause: unknown, file: string, advice?: string): unknown {
  const code = (cause as NodeJS.ErrnoException)?.code
  const hint = advice ?? (path.isAbsolute(file) ? 'name another file' : `the path begins at ${process.cwd()}`)
  const unreadable = (message: string) => new LoopaiError('FILE_UNREADABLE', message, { hint, cause })
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new LoopaiError('FILE_NOT_FOUND', `${file} does not exist`, { hint, cause })
  if (code === 'EISDIR') return unreadable(`${file} is a folder, not a file`)
  if (code === 'EACCES') return unreadable(`no permission to read ${file}`)
  return cause
}
