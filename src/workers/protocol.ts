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

/**
 * One answer, a line of JSON with the nonce of its request: `{"n", "ok": true, "out"}`, or `{"n", "ok": false, "kind", "message"}`. To a
 * chunk, `{"n", "ok": true, "outs", "bad"}`: outputs of the first inputs, at least one, and a `[place, kind, message]` for each that has none.
 */
export type Frame =
  | { ok: true; out: unknown }
  | { ok: true; outs: unknown[]; bad: [place: number, kind: RefusalKind, message: string][] }
  | { ok: false; kind: RefusalKind; message: string }

const REFUSALS = [
  'error',
  'memory',
  'bad-output',
  'output-limit',
  'sandbox-unavailable',
  // What the supervisor says of the child that has answered one request.
  'cpu',
  'killed',
  'noreply',
  'protocol',
] as const
export type RefusalKind = (typeof REFUSALS)[number]

export interface FrameReader {
  /** Opens the door for exactly one frame more: the answer to one input, or to a chunk of at most `most`. Answers come in this order. */
  expect(nonce: string, most?: number): void
  /** Takes bytes, and hands on each awaited frame that they complete. Returns what is wrong; then the reader is of no more use. */
  push(chunk: Buffer, take: (frame: Frame) => void): Violation | undefined
  /**
   * The writer has ended, and the next one begins behind a line that says `mark`. Up to there whole answers still count; what
   * follows something else does not, and is no violation: nobody is left to be blamed. At the mark nothing is awaited any more.
   */
  skipTo(mark: string, done: () => void): void
}

export const MAX_DEPTH = 64
const MAX_MESSAGE = 4000
const ENVELOPE_BYTES = 16 * 1024
const NEWLINE = 10

/**
 * Reads the channel of a program that is not trusted. The order of the checks matters: bytes are counted before they are kept, and the text
 * is known to be UTF-8 and shallow before it reaches the JSON parser. Costs at most a few passes over `maxBytes`.
 */
export function createFrameReader(maxBytes: number): FrameReader {
  const awaited: Expectation[] = []
  let chunks: Buffer[] = []
  let size = 0
  /** Of a writer that has ended. */
  let last: { mark: Buffer; done: () => void } | undefined

  return {
    expect(nonce, most) {
      awaited.push({ nonce, most })
    },

    push(chunk, take) {
      for (let from = 0; from < chunk.length; ) {
        const expected = awaited[0]
        if (!expected && !last) return from === 0 ? 'unsolicited-frame' : 'extra-bytes'
        const end = chunk.indexOf(NEWLINE, from) + 1
        const part = chunk.subarray(from, end || chunk.length)
        size += part.length
        if (size > maxBytes + ENVELOPE_BYTES) return 'output-limit'
        chunks.push(part)
        if (end === 0) return
        const line = chunks.length === 1 ? part : Buffer.concat(chunks, size)
        chunks = []
        size = 0
        from = end
        if (last && line.equals(last.mark)) {
          awaited.length = 0
          const { done } = last
          last = undefined
          done()
          continue
        }
        awaited.shift()
        const frame = expected ? parse(line, expected) : 'unsolicited-frame'
        if (typeof frame !== 'string') {
          // Before anybody is told: one answer too many spoils the others.
          if (from < chunk.length && awaited.length === 0 && !last) return 'extra-bytes'
          take(frame)
        } else if (last) awaited.length = 0
        else return frame
      }
    },

    skipTo(mark, done) {
      last = { mark: Buffer.from(`${mark}\n`), done }
    },
  }
}

/** Without control characters: a terminal obeys them. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, ' ')
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

interface Expectation {
  nonce: string
  most: number | undefined
}

function parse(line: Buffer, { nonce, most }: Expectation): Frame | Violation {
  if (!isUtf8(line)) return 'not-utf8'
  // More than an output may have: the frame around it, and the list of a chunk.
  if (isDeeper(line, MAX_DEPTH + (most === undefined ? 1 : 2))) return 'too-deep'
  let frame: unknown
  try {
    frame = JSON.parse(line.toString())
  } catch {
    return 'not-json'
  }
  if (!isObject(frame) || frame.n !== nonce) return 'bad-nonce'
  if (frame.ok === false) return parseRefusal(frame.kind, frame.message) ?? 'bad-frame'
  if (frame.ok !== true) return 'bad-frame'
  if (most !== undefined) return parseChunk(frame, most) ?? 'bad-frame'
  return 'out' in frame ? { ok: true, out: frame.out } : 'bad-frame'
}

function parseRefusal(kind: unknown, message: unknown) {
  const known = REFUSALS.find(refusal => refusal === kind)
  if (!known || typeof message !== 'string') return
  return { ok: false as const, kind: known, message: printable(message.slice(0, MAX_MESSAGE)) }
}

function parseChunk({ outs, bad }: Record<string, unknown>, most: number): Frame | undefined {
  if (!Array.isArray(outs) || outs.length < 1 || outs.length > most || !Array.isArray(bad)) return
  const entries: [number, RefusalKind, string][] = []
  for (const entry of bad) {
    const [place, kind, message] = Array.isArray(entry) ? entry : []
    const refusal = parseRefusal(kind, message)
    if (!refusal || !Number.isInteger(place) || place < 0 || place >= outs.length) return
    entries.push([place, refusal.kind, refusal.message])
  }
  return { ok: true, outs, bad: entries }
}
