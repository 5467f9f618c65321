import { isUtf8 } from 'node:buffer'
import { LoopaiError } from '../domain/errors.ts'
import { isObject } from '../domain/json.ts'
import { findChangedNumbers, WRITE_AS_STRING } from '../domain/numbers.ts'
import { closest } from '../domain/problems.ts'
import { MAX_DEPTH } from '../workers/protocol.ts'
import type { Call } from './exchange.ts'

/** A body that is one JSON object with no other than the known properties. */
export async function readObject<Name extends string>(
  call: Call,
  maxBytes: number,
  known: readonly Name[],
): Promise<Partial<Record<Name, unknown>>> {
  requireType(call, ['application/json'])
  return objectOf(parseJson(await call.read(maxBytes)), known)
}

export function requireType(call: Call, types: string[]): string {
  const header = call.header('content-type') ?? ''
  if (types.includes(header)) return header
  const [given = ''] = header.toLowerCase().split(/\s*;/, 1)
  if (types.includes(given)) return given
  throw new LoopaiError('UNSUPPORTED_MEDIA_TYPE', `the body is ${given || 'of no type'}`, {
    hint: `send it with Content-Type: ${types.join(' or ')}`,
  })
}

export function objectOf<Name extends string>(
  value: unknown,
  known: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (!isObject(value)) throw new LoopaiError('INVALID_JSON', 'the body is not a JSON object')
  const odd = Object.keys(value).find(name => !known.includes(name as Name))
  if (odd === undefined) return value as Partial<Record<Name, unknown>>
  const like = closest(odd, known)
  throw new LoopaiError('USAGE', `the body has an unknown property ${JSON.stringify(odd.slice(0, 80))}`, {
    hint: like ? `did you mean ${like}?` : `known are: ${known.join(', ')}`,
  })
}

/**
 * Stricter than `JSON.parse`, for what strangers send: UTF-8, not nested too deeply, no property twice, none called `__proto__`, and no
 * number that would become another one. That a property comes twice shows in the count: more colons outside of strings than properties in the value.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new LoopaiError('INVALID_JSON', 'the body is not UTF-8')
  const colons = scan(bytes)
  const text = bytes.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LoopaiError('INVALID_JSON', `the body is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (countProperties(value) !== colons)
    throw new LoopaiError('INVALID_JSON', 'the body has a property twice')
  const [changed] = findChangedNumbers(text)
  if (changed)
    throw new LoopaiError('INVALID_JSON', `in the body, ${changed.message}`, { hint: WRITE_AS_STRING })
  return value
}

// The envelope around an input, or the list of a batch around it, adds its own levels.
const MAX_LEVELS = MAX_DEPTH + 3
const [QUOTE, BACKSLASH, BRACKET, BRACKET_END, BRACE, BRACE_END, COLON] = [...Buffer.from('"\\[]{}:')]

/** Counts the colons outside of strings, and refuses what is nested too deeply before anything recursive sees it. */
function scan(bytes: Buffer): number {
  let depth = 0
  let colons = 0
  let inString = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (inString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === COLON) colons++
    else if (byte === BRACKET || byte === BRACE) {
      if (++depth > MAX_LEVELS) {
        throw new LoopaiError('INVALID_JSON', `the body is nested more than ${MAX_DEPTH} levels deep`)
      }
    } else if (byte === BRACKET_END || byte === BRACE_END) depth--
  }
  return colons
}

function countProperties(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countProperties(item)
    return count
  }
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw new LoopaiError('INVALID_JSON', 'the body has a property __proto__')
    count += 1 + countProperties((value as Record<string, unknown>)[name])
  }
  return count
}
