import { expect, test } from 'vitest'
import type { ExecutionReply } from '../../src/actions/executor.ts'
import { createIdempotency } from '../../src/server/idempotency.ts'

const success = (output = 'ham') => ({ status: 'success', output }) as ExecutionReply
const failure = { status: 'error' } as ExecutionReply

function pendingReply() {
  let resolve!: (reply: ExecutionReply) => void
  const promise = new Promise<ExecutionReply>(done => {
    resolve = done
  })
  return { promise, resolve }
}

test('replies are kept up to a number of bytes: the oldest go first', async () => {
  const { once } = createIdempotency(() => new Date(0), 3000)
  for (const key of ['a', 'b', 'c', 'd']) await once(key, {}, async () => success('x'.repeat(900)))
  const replayed = []
  for (const key of ['d', 'c', 'b', 'a']) {
    replayed.push((await once(key, {}, async () => success())).isReplayed)
  }
  expect(replayed).toEqual([true, true, true, false])
})

test('a call in work is never forgotten for the weight of others', async () => {
  const { once } = createIdempotency(() => new Date(0), 10)
  const { promise, resolve } = pendingReply()
  const first = once('slow', {}, () => promise)
  await once('heavy', {}, async () => success())
  const second = once('slow', {}, async () => success())
  resolve(failure)
  expect([(await first).isReplayed, (await second).isReplayed]).toEqual([false, true])
})

test('a call that fails late does not forget the one that came after it', async () => {
  let time = 0
  const { once } = createIdempotency(() => new Date(time))
  const { promise, resolve } = pendingReply()
  const late = once('key', {}, () => promise)
  time = 60 * 60 * 1000
  await once('key', {}, async () => success())
  resolve(failure)
  await late
  expect((await once('key', {}, async () => success())).isReplayed).toBe(true)
})
