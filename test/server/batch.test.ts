import { expect, test } from 'vitest'
import {
  ANSWER_HAM,
  activate,
  appOf,
  dataDirectory,
  FIND_PRIZE,
  OBEY,
  readJson,
  SPAM,
  serve,
} from '../helpers/served.ts'

const BATCH = `/loop-apps/${SPAM}/execute-batch`
const NDJSON = { 'Content-Type': 'application/x-ndjson' }

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

test('a batch is answered in order, with counts, and a failure does not hide the others', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }), { size: 2 })
  const items = ['a', 'raise', 'b', 3].map((text, place) => ({ id: `item ${place}`, input: { text } }))
  const answer = await readJson(await served.post(BATCH, { items }))
  expect(answer).toMatchObject({
    loop_app_id: SPAM,
    total: 4,
    succeeded: 2,
    failed: 2,
    skipped: 0,
    results: [
      { id: 'item 0', status: 'success', output: 'ham', version: 1 },
      { id: 'item 1', status: 'error', error: { kind: 'program_error' } },
      { id: 'item 2', status: 'success', output: 'ham' },
      { id: 'item 3', status: 'error', error: { kind: 'invalid_input', pointers: ['/text'] } },
    ],
  })
})

test('with stop_on_first_error the rest is skipped', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }))
  const items = ['a', 'raise', 'b', 'c'].map(text => ({ input: { text } }))
  const answer = await readJson(
    await served.post(BATCH, { items, max_concurrency: 1, stop_on_first_error: true }),
  )
  expect(answer).toMatchObject({ succeeded: 1, failed: 1, skipped: 2 })
})

test('the calls of a batch count as pending, and wait where there is no room', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }), { size: 2, maxPending: 2 })
  const items = Array.from({ length: 20 }, (_, id) => ({ id, input: { text: 'a' } }))
  const app = await served.service.apps.get(SPAM)
  let most = 0
  const clock = setInterval(() => {
    most = Math.max(most, app.health().pending)
  })
  const answer = await readJson(await served.post(BATCH, { items, max_concurrency: 8 }))
  clearInterval(clock)
  expect(answer).toMatchObject({ total: 20, succeeded: 20 })
  expect(most).toBeLessThanOrEqual(2)
  expect(app.health().pending).toBe(0)
})

test('an app that is asked too often refuses single calls, and lets those of a batch wait', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }), { maxRate: 5 })
  const items = Array.from({ length: 8 }, (_, id) => ({ id, input: { text: 'a' } }))
  const since = performance.now()
  expect(await readJson(await served.post(BATCH, { items }))).toMatchObject({ succeeded: 8, failed: 0 })
  expect(performance.now() - since).toBeGreaterThan(500)
  const one = await served.post(`/loop-apps/${SPAM}/execute`, { input: { text: 'a' } })
  expect([one.status, one.headers.get('Retry-After')]).toEqual([429, '1'])
  expect(await readJson(one)).toMatchObject({ code: 'RATE_LIMITED', hint: 'call again in a second' })
  await new Promise(resolve => setTimeout(resolve, 300))
  expect((await served.post(`/loop-apps/${SPAM}/execute`, { input: { text: 'a' } })).status).toBe(200)
})

test.each([
  [{}, 'MISSING_VALUE'],
  [{ items: [{ id: 1 }] }, 'USAGE'],
  [{ items: [{ input: 1, imput: 1 }] }, 'USAGE'],
  [{ items: [], max_concurrency: 0 }, 'USAGE'],
])('a batch such as %j is refused', async (body, code) => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  const response = await served.post(BATCH, body)
  expect(response.status).toBe(400)
  expect(await readJson(response)).toMatchObject({ code })
})

test('a stream of lines is answered line by line; a line that is broken has its error in its place', async () => {
  const served = await serve(await dataDirectory({ programs: [FIND_PRIZE] }))
  const body = '{"id":"x","input":{"text":"prize"}}\n\n{"input":\n{"input":{"text":"a"}}\n{"id":5}\n[]'
  const response = await served.post(BATCH, body, NDJSON)
  expect(response.headers.get('Content-Type')).toBe('application/x-ndjson')
  expect(linesOf(await response.text())).toMatchObject([
    { id: 'x', status: 'success', output: 'spam' },
    { id: 2, status: 'error', error: { kind: 'invalid_input' } },
    { id: 3, status: 'success', output: 'ham' },
    { id: 4, status: 'error', error: { message: 'the line has no input' } },
    { id: 5, status: 'error' },
  ])
})

test('a stream is read no faster than its answers are taken', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  const line = new TextEncoder().encode(`{"input":{"text":"${'x'.repeat(1000)}"}}\n`)
  let given = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        given++
        if (given > 2000) controller.close()
        else controller.enqueue(line)
      },
    },
    { highWaterMark: 1 },
  )
  const response = await served.request(BATCH, {
    method: 'POST',
    headers: NDJSON,
    body,
    duplex: 'half',
  } as RequestInit)
  const reader = response.body!.getReader()
  await reader.read()
  await new Promise(resolve => setTimeout(resolve, 200))
  expect(given).toBeLessThan(20)
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += new TextDecoder().decode(part.value)
  expect(linesOf(text)).toHaveLength(1999)
})

test('a stream follows a promotion on its way', async () => {
  const root = await dataDirectory({ programs: [FIND_PRIZE, ANSWER_HAM], active: 1 })
  const served = await serve(root)
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const line = new TextEncoder().encode('{"input":{"text":"prize"}}\n')
  const responding = served.request(BATCH, {
    method: 'POST',
    headers: NDJSON,
    body: readable,
    duplex: 'half',
  } as RequestInit)
  const reader = (await responding).body!.getReader()
  const next = async () => {
    void writer.write(line)
    return JSON.parse(new TextDecoder().decode((await reader.read()).value))
  }
  expect(await next()).toMatchObject({ version: 1, output: 'spam' })
  await activate(await appOf(root), 2)
  expect(await next()).toMatchObject({ version: 2, output: 'ham' })
  await writer.close()
})
