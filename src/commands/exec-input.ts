import { createReadStream, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { LoopaiError } from '../domain/errors.ts'
import { findChangedNumbers, WRITE_AS_STRING } from '../domain/numbers.ts'
import { decodeUtf8, explainReadError, refuseForeign } from '../store/text.ts'
import { printable } from '../terminal/errors.ts'

/** Largest input, and longest line, that is read: more than any `limits.input_kb` allows. */
export const MAX_BYTES = 64 * 1024 * 1024

/** Bytes of a file, or of standard input. Whoever opens it destroys it. */
export function openInput(file: string | undefined): Readable {
  if (file === undefined) return process.stdin
  try {
    return createReadStream(file, { fd: openSync(file, 'r') })
  } catch (error) {
    throw explainReadError(error, file)
  }
}

/** The bytes as they come, once it is known that they are not those of a compressed file or of UTF-16. */
export async function* readBytes(source: Readable, name: string): AsyncGenerator<Buffer> {
  let isFirst = true
  for await (const chunk of source) {
    if (isFirst) refuseForeign(chunk, name)
    isFirst = false
    yield chunk
  }
}

/** The whole of an input as one JSON document. `name` is what messages call it, `example` a command that works. */
export async function readDocument(source: Readable, name: string, example: string): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of readBytes(source, name)) {
      size += chunk.length
      if (size > MAX_BYTES) {
        throw new LoopaiError('INPUT_TOO_LARGE', `${name} is larger than ${MAX_BYTES / 1024 / 1024} MB`, {
          hint: 'use --jsonl for many inputs',
        })
      }
      chunks.push(chunk)
    }
  } catch (error) {
    throw explainReadError(error, name)
  }
  return parseDocument(decodeUtf8(Buffer.concat(chunks), name), example)
}

/** One JSON document. Nothing, and several documents, are refused with what to do instead. */
export function parseDocument(text: string, example: string): unknown {
  if (text.trim() === '') throw new LoopaiError('MISSING_VALUE', 'the input is empty', { hint: example })
  const value = parse(text, example)
  const [changed] = findChangedNumbers(text)
  if (changed)
    throw new LoopaiError('INVALID_JSON', `in the input, ${changed.message}`, { hint: WRITE_AS_STRING })
  return value
}

function parse(text: string, example: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw explain(text, cause as Error, example)
  }
}

function explain(text: string, cause: Error, example: string): LoopaiError {
  const [first, second] = text.split('\n').filter(line => line.trim() !== '')
  if (second !== undefined && isJson(first!)) {
    return new LoopaiError('INVALID_JSON', 'the input holds several JSON documents', {
      hint: 'use --jsonl for one input a line',
      cause,
    })
  }
  const reason = printable(cause.message.replaceAll('\n', ' '))
  return new LoopaiError('INVALID_JSON', `the input is not JSON: ${reason}`, { hint: example, cause })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
