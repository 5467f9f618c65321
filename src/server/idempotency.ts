import type { ExecutionReply } from '../actions/executor.ts'
import { LoopaiError } from '../domain/errors.ts'
import { sha256 } from '../domain/sha256.ts'

/** Answers of the last minutes by the key that their callers gave, so that a repeated call runs nothing twice. */
export interface Idempotency {
  once(
    key: string,
    body: unknown,
    work: () => Promise<ExecutionReply>,
  ): Promise<{ reply: ExecutionReply; isReplayed: boolean }>
}

interface Kept {
  body: string
  reply: Promise<ExecutionReply>
  until: number
  /** Of the reply, once it is there. */
  bytes: number
}

const WINDOW_MS = 10 * 60 * 1000
const MAX_KEYS = 10_000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_KEY_LENGTH = 320

export function createIdempotency(now: () => Date, maxBytes = MAX_BYTES): Idempotency {
  // In the order of their age.
  const kept = new Map<string, Kept>()
  let bytes = 0

  function forget(key: string, entry: Kept) {
    // The key may belong to a later call by now.
    if (kept.get(key) !== entry) return
    kept.delete(key)
    bytes -= entry.bytes
  }

  function forgetOld(time: number) {
    for (const [key, entry] of kept) {
      if (entry.until > time && kept.size < MAX_KEYS) return
      // One without a reply is still waited for.
      if (entry.until <= time || entry.bytes > 0) forget(key, entry)
    }
  }

  function weigh(key: string, entry: Kept, reply: ExecutionReply) {
    if (kept.get(key) !== entry) return
    entry.bytes = Buffer.byteLength(JSON.stringify(reply))
    bytes += entry.bytes
    for (const [oldest, old] of kept) {
      if (bytes <= maxBytes) return
      if (old.bytes > 0) forget(oldest, old)
    }
  }

  return {
    async once(key, body, work) {
      if (key.length > MAX_KEY_LENGTH) throw new LoopaiError('USAGE', 'the Idempotency-Key is too long')
      const time = now().getTime()
      forgetOld(time)
      const digest = sha256(JSON.stringify(body))
      const known = kept.get(key)
      if (known?.body === digest) return { reply: await known.reply, isReplayed: true }
      if (known) {
        throw new LoopaiError('CONFLICT', 'this Idempotency-Key came with another body before', {
          hint: 'use a new key for a new call',
        })
      }
      const entry = { body: digest, reply: work(), until: time + WINDOW_MS, bytes: 0 }
      kept.set(key, entry)
      // What was refused or has failed may be tried again.
      entry.reply.then(
        reply => (reply.status === 'success' ? weigh(key, entry, reply) : forget(key, entry)),
        () => forget(key, entry),
      )
      return { reply: await entry.reply, isReplayed: false }
    },
  }
}
