import { randomBytes } from 'node:crypto'

/** Bytes of an id that are random: 74 bits of them are used. */
const RANDOM_BYTES = 10

/**
 * Ids for executions that begin now: UUIDs version 7, that is 48 bits of Unix time in milliseconds, then random ones (RFC 9562, section 5.7).
 * Many of them come from one draw, which costs a thirtieth of one draw each.
 */
export function newIds(count: number): string[] {
  const time = Date.now().toString(16).padStart(12, '0')
  const start = `${time.slice(0, 8)}-${time.slice(8)}-7`
  const { hex, from } = draw(count)
  return Array.from({ length: count }, (_, i) => {
    const at = from + 2 * RANDOM_BYTES * i
    const variant = '89ab'[hex.charCodeAt(at + 18) & 3]
    return `${start}${hex.slice(at, at + 3)}-${variant}${hex.slice(at + 3, at + 6)}-${hex.slice(at + 6, at + 18)}`
  })
}

/** So many ids are drawn at once. */
const DRAWN = 256
let drawn = { hex: '', from: 0 }

/** Random digits that nobody else gets, and where they begin. */
function draw(count: number): { hex: string; from: number } {
  const size = 2 * RANDOM_BYTES * count
  if (drawn.from + size > drawn.hex.length) {
    drawn = { hex: randomBytes(RANDOM_BYTES * Math.max(count, DRAWN)).toString('hex'), from: 0 }
  }
  const { hex, from } = drawn
  drawn.from += size
  return { hex, from }
}
