import { isUtf8 } from 'node:buffer'
import { isObject } from '../domain/json.ts'

/** How a program broke the frame protocol. */
export type Violation =
  | 'unsolicited-frame'
  | 'extra-bytes'
  | 'not-utf8'
  | 'too-deep'
  | 'not-json'
  | 'bad-nonce'
  | 'bad-frame'
  | 'output-limit'

/** One answer: a line of JSON with the nonce of its request, `{"n", "ok": true, "out"}` or `{"n", "ok": false, "kind", "message"}`. */
export type Frame = { ok: true; out: unknown } | { ok: false; kind: RefusalKind; message: string }

const REFUSALS = ['error', 'memory', 'output-limit', 'sandbox-unavailable'] as const
export type RefusalKind = (typeof REFUSALS)[number]

export interface FrameReader {
  /** Opens the door for exactly one frame. */
  expect(nonce: string): void
  /** Takes bytes: the awaited frame when it is complete, or what is wrong. After a violation the reader is of no more use. */
  push(chunk: Buffer): Frame | Violation | undefined
}

export const MAX_DEPTH = 64
const MAX_MESSAGE = 4000
const ENVELOPE_BYTES = 1024
const NEWLINE = 10

/**
 * Reads the channel of a program that is not trusted. The order of the checks matters: bytes are counted before they are kept, and the text
 * is known to be UTF-8 and shallow before it reaches the JSON parser. Costs at most a few passes over `maxBytes`.
 */
export function createFrameReader(maxBytes: number): FrameReader {
  let awaited: string | undefined
  let chunks: Buffer[] = []
  let size = 0

  return {
    expect(nonce) {
      awaited = nonce
    },

    push(chunk) {
      if (awaited === undefined) return 'unsolicited-frame'
      size += chunk.length
      if (size > maxBytes + ENVELOPE_BYTES) return 'output-limit'
      chunks.push(chunk)
      const end = chunk.indexOf(NEWLINE)
      if (end === -1) return
      if (end !== chunk.length - 1) return 'extra-bytes'
      const line = chunks.length === 1 ? chunk : Buffer.concat(chunks, size)
      const nonce = awaited
      awaited = undefined
      chunks = []
      size = 0
      return parse(line, nonce)
    },
  }
}

/** Whether `line` is JSON text with brackets nested more than `limit` deep. Linear, and right for any text that is JSON. */
export function isDeeper(line: Buffer, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < line.length; index++) {
    const byte = line[index]
    if (inString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === BRACKET || byte === BRACE) {
      if (++depth > limit) return true
    } else if (byte === BRACKET_END || byte === BRACE_END) depth--
  }
  return false
}

const [QUOTE, BACKSLASH, BRACKET, BRACKET_END, BRACE, BRACE_END] = [...Buffer.from('"\\[]{}')]

function parse(line: Buffer, nonce: string): Frame | Violation {
  if (!isUtf8(line)) return 'not-utf8'
  // One level more than an output may have: the frame around it.
  if (isDeeper(line, MAX_DEPTH + 1)) return 'too-deep'
  let frame: unknown
  try {
    frame = JSON.parse(line.toString())
  } catch {
    return 'not-json'
  }
  if (!isObject(frame) || frame.n !== nonce) return 'bad-nonce'
  if (frame.ok === true && 'out' in frame) return { ok: true, out: frame.out }
  const kind = REFUSALS.find(refusal => refusal === frame.kind)
  if (frame.ok !== false || !kind || typeof frame.message !== 'string') return 'bad-frame'
  return { ok: false, kind, message: frame.message.slice(0, MAX_MESSAGE) }
}
