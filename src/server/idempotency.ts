import { createHash } from 'node:crypto'
import type { ExecutionReply } from '../actions/executor.ts'
import { LoopaiError } from '../domain/errors.ts'

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
}

const WINDOW_MS = 10 * 60 * 1000
const MAX_KEYS = 10_000
const MAX_KEY_LENGTH = 320

export function createIdempotency(now: () => Date): Idempotency {
  // In the order of their age.
  const kept = new Map<string, Kept>()

  function forgetOld(time: number) {
    for (const [key, { until }] of kept) {
      if (until > time && kept.size < MAX_KEYS) return
      kept.delete(key)
    }
  }

  return {
    async once(key, body, work) {
      if (key.length > MAX_KEY_LENGTH) throw new LoopaiError('USAGE', 'the Idempotency-Key is too long')
      const time = now().getTime()
      forgetOld(time)
      const digest = createHash('sha256').update(JSON.stringify(body)).digest('base64')
      const known = kept.get(key)
      if (known?.body === digest) return { reply: await known.reply, isReplayed: true }
      if (known) {
        throw new LoopaiError('CONFLICT', 'this Idempotency-Key came with another body before', {
          hint: 'use a new key for a new call',
        })
      }
      const reply = work()
      kept.set(key, { body: digest, reply, until: time + WINDOW_MS })
      // What was refused or has failed may be tried again.
      const forget = () => kept.delete(key)
      reply.then(({ status }) => status === 'success' || forget(), forget)
      return { reply: await reply, isReplayed: false }
    },
  }
}
