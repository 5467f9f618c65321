import { randomBytes } from 'node:crypto'

/** Bytes of an id that are random: 74 bits of them are used. */
const RANDOM_BYTES = 10

/**
 * Ids for executions that begin now: UUIDs version 7, that is 48 bits of Unix time in milliseconds, then random ones (RFC 9562, section 5.7).
 * All of them come from one draw, which for a batch costs a thirtieth of one draw each.
 */
export function newIds(count: number): string[] {
  const time = Date.now().toString(16).padStart(12, '0')
  const start = `${time.slice(0, 8)}-${time.slice(8)}-7`
  const hex = randomBytes(RANDOM_BYTES * count).toString('hex')
  return Array.from({ length: count }, (_, i) => {
    const at = 2 * RANDOM_BYTES * i
    const variant = '89ab'[hex.charCodeAt(at + 18) & 3]
    return `${start}${hex.slice(at, at + 3)}-${variant}${hex.slice(at + 3, at + 6)}-${hex.slice(at + 6, at + 18)}`
  })
}
