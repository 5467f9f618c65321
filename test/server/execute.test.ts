import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  ANSWER_HAM,
  dataDirectory,
  FIND_PRIZE,
  OBEY,
  readJson,
  type Served,
  SPAM,
  serve,
} from '../helpers/served.ts'

function recorded({ root, service }: Served, id = SPAM) {
  for (const app of service.apps.opened()) app.flush()
  const folder = path.join(root, 'loop-apps', id, 'datasets', 'executions')
  return readdirSync(folder).flatMap(file =>
    readFileSync(path.join(folder, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
  )
}

test('an execution is answered with the output, and recorded', async () => {
  const served = await serve(await dataDirectory({ programs: [FIND_PRIZE] }))
  const response = await served.execute({ text: 'a prize' }, { client: 'shop' })
  const reply = await readJson(response)
  expect(response.status).toBe(200)
  expect(reply).toMatchObject({ output: 'spam', confidence: 0.75, version: 1, status: 'success' })
  expect(response.headers.get('Loopai-Version')).toBe('v1')
  expect(response.headers.get('Loopai-Digest')).toBe(reply.digest)
  expect(response.headers.get('Loopai-Execution-Id')).toBe(reply.execution_id)
  expect(recorded(served)).toMatchObject([
    {
      execution_id: reply.execution_id,
      input: { text: 'a prize' },
      output: 'spam',
      source: 'http',
      client: 'shop',
    },
  ])
})

test('another version than the active one can be asked for', async () => {
  const served = await serve(await dataDirectory({ programs: [FIND_PRIZE, ANSWER_HAM] }))
  const answers = [
    await served.execute({ text: 'prize' }),
    await served.execute({ text: 'prize' }, { version: 1 }),
  ]
  expect(await Promise.all(answers.map(answer => answer.json()))).toMatchObject([
    { output: 'ham', version: 2 },
    { output: 'spam', version: 1 },
  ])
  expect((await served.execute({ text: 'prize' }, { version: 'v9' })).status).toBe(404)
})

describe('a failed execution is a problem and is recorded', () => {
  test.each([
    [{ text: 3 }, 422, 'invalid_input', { pointers: ['/text'] }],
    [{ text: 'raise' }, 500, 'program_error', {}],
    [{ text: 'exit' }, 500, 'program_error', {}],
    [{ text: 'nonsense' }, 502, 'invalid_output', {}],
    [{ text: 'sleep' }, 504, 'timeout', {}],
  ])('%j is %i', async (input, status, kind, more) => {
    const served = await serve(await dataDirectory({ programs: [OBEY] }))
    const response = await served.execute(input, { timeout_ms: 300 })
    const problem = await readJson(response)
    expect(response.status).toBe(status)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(problem).toMatchObject({ status, kind, code: 'PROGRAM_FAILED', loop_app_id: SPAM, ...more })
    expect(recorded(served)).toMatchObject([{ execution_id: problem.execution_id, error: { kind } }])
    expect('input' in recorded(served)[0]).toBe(status !== 422)
  })
})

test('force_validation puts an execution into the sample, with the probability 1', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM], config: 'sampling: {rate: 0}\n' }))
  await served.execute({ text: 'a' })
  const forced = await readJson(await served.execute({ text: 'b' }, { force_validation: true }))
  expect(forced.sampled_for_validation).toBe(true)
  expect(recorded(served)).toMatchObject([
    { sampled_for_validation: false, sampling_probability: 0 },
    { sampled_for_validation: true, sampling_probability: 1 },
  ])
})

test('with privacy.record metadata nothing of input and output is kept; config.yaml is followed', async () => {
  const served = await serve(
    await dataDirectory({ programs: [ANSWER_HAM], config: 'privacy: {record: metadata}\n' }),
  )
  await served.execute({ text: 'secret' })
  const [record] = recorded(served)
  expect(record.status).toBe('success')
  expect(JSON.stringify(record)).not.toMatch(/secret|ham/)
})

describe('refusals', () => {
  test.each([
    ['no such app', '/loop-apps/nobody-001/execute', '{"input":1}', 404, 'APP_NOT_FOUND'],
    ['an id that is none', '/loop-apps/..%2f..%2fetc/execute', '{"input":1}', 400, 'INVALID_ID'],
    ['no JSON', `/loop-apps/${SPAM}/execute`, '{"input":', 400, 'INVALID_JSON'],
    [
      'a number too large',
      `/loop-apps/${SPAM}/execute`,
      '{"input":{"text":"a","n":1e999}}',
      400,
      'INVALID_JSON',
    ],
    ['no object', `/loop-apps/${SPAM}/execute`, '[1]', 400, 'INVALID_JSON'],
    ['no input', `/loop-apps/${SPAM}/execute`, '{}', 400, 'MISSING_VALUE'],
    ['a property that is unknown', `/loop-apps/${SPAM}/execute`, '{"input":1,"inputs":1}', 400, 'USAGE'],
    ['a timeout that is none', `/loop-apps/${SPAM}/execute`, '{"input":1,"timeout_ms":"1"}', 400, 'USAGE'],
    [
      'a version that is none',
      `/loop-apps/${SPAM}/execute`,
      '{"input":1,"version":{}}',
      400,
      'INVALID_ADDRESS',
    ],
    [
      'a body that is too large',
      `/loop-apps/${SPAM}/execute`,
      `"${'x'.repeat(2e6)}"`,
      413,
      'INPUT_TOO_LARGE',
    ],
    ['a path that is none', '/loop-apps/a/b/c/d', '{}', 404, 'ROUTE_NOT_FOUND'],
    ['a method that is none', '/loop-apps', '{}', 405, 'METHOD_NOT_ALLOWED'],
  ])('%s', async (_, place, body, status, code) => {
    const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
    const response = await served.post(place, body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ status, code, type: `urn:loopai:error:${code}` })
  })

  test('another content type is 415, so that a page of a stranger cannot post here', async () => {
    const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
    const response = await served.post(`/loop-apps/${SPAM}/execute`, '{}', { 'Content-Type': 'text/plain' })
    expect(response.status).toBe(415)
    expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull()
  })

  test('an app without an active version is 503', async () => {
    const served = await serve(await dataDirectory({ programs: [ANSWER_HAM], active: null }))
    const response = await served.execute({ text: 'a' })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ code: 'NO_ACTIVE_VERSION' })
    expect((await served.request('/readyz')).status).toBe(200)
  })
})

test('a full queue is 429 with Retry-After, and the next call is answered', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }), { maxPending: 1 })
  const first = served.execute({ text: 'sleep' }, { timeout_ms: 500 })
  await new Promise(resolve => setTimeout(resolve, 100))
  const second = await served.execute({ text: 'a' })
  expect(second.status).toBe(429)
  expect(second.headers.get('Retry-After')).toBe('1')
  expect((await first).status).toBe(504)
  expect((await served.execute({ text: 'a' })).status).toBe(200)
})

test.each([
  ['that travels with others', {}],
  ['with a time limit of its own', { timeout_ms: 900 }],
])(
  'a call %s and has waited too long for a process is 503 with Retry-After, and is not run',
  async (_, more) => {
    const served = await serve(await dataDirectory({ programs: [OBEY] }), { maxWaitMs: 300 })
    const first = served.execute({ text: 'sleep' }, { timeout_ms: 2000 })
    await new Promise(resolve => setTimeout(resolve, 200))
    const second = await served.execute({ text: 'a' }, more)
    expect(second.status).toBe(503)
    expect(second.headers.get('Retry-After')).toBe('1')
    expect(await second.json()).toMatchObject({ code: 'BUSY', detail: expect.stringContaining('has waited') })
    expect((await first).status).toBe(504)
    expect((await served.execute({ text: 'a' })).status).toBe(200)
    expect(recorded(served)).toMatchObject([{ status: 'timeout' }, { status: 'success' }])
  },
)

test('calls that travel with slow ones do not wait for the end of all of them', async () => {
  const root = await dataDirectory({ programs: [OBEY], limits: { timeout_ms: 500 } })
  const served = await serve(root, { maxWaitMs: 2000 })
  const all = (count: number, text: string) =>
    Array.from({ length: count }, async () => (await served.execute({ text })).status)
  // By now it is known to be fast.
  for (let round = 0; round < 5; round++) await Promise.all(all(40, 'a'))
  const order: string[] = []
  const noted = (name: string, statuses: Promise<number>[]) =>
    Promise.all(statuses).then(found => {
      order.push(name)
      return new Set(found)
    })
  const fast = noted('fast', all(5, 'a'))
  const slow = noted('slow', all(20, 'sleep'))
  const late = noted('late', [...all(1, 'sleep'), ...all(5, 'a')])
  expect(await fast).toEqual(new Set([200]))
  expect(order).toEqual(['fast'])
  expect(await slow).toEqual(new Set([503, 504]))
  expect(await late).toEqual(new Set([503]))
})

test('the items of a batch wait as long as it takes', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }), { maxWaitMs: 150 })
  const items = Array.from({ length: 8 }, () => ({ input: { text: 'wait' } }))
  const answer = await readJson(await served.post(`/loop-apps/${SPAM}/execute-batch`, { items }))
  expect(answer).toMatchObject({ succeeded: 8 })
})

test('a repeated call with the same Idempotency-Key runs once; another body is a conflict', async () => {
  const served = await serve(await dataDirectory({ programs: [FIND_PRIZE] }))
  const call = (text: string) =>
    served.post(`/loop-apps/${SPAM}/execute`, { input: { text } }, { 'Idempotency-Key': 'k1' })
  const [first, second] = await Promise.all([call('prize'), call('prize')])
  const third = await call('prize')
  const ids = await Promise.all(
    [first, second, third].map(async answer => (await readJson(answer)).execution_id),
  )
  expect(new Set(ids).size).toBe(1)
  expect(third.headers.get('Idempotent-Replayed')).toBe('true')
  expect(recorded(served)).toHaveLength(1)
  expect((await call('other')).status).toBe(409)
})

describe('with a token', () => {
  test('nothing but health is answered without it', async () => {
    const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }), { token: 'sesame' })
    expect((await served.execute({ text: 'a' })).status).toBe(401)
    expect((await served.request('/metrics')).status).toBe(401)
    expect((await served.request('/nothing')).status).toBe(401)
    expect(await (await served.request('/healthz')).json()).toEqual({ status: 'ok' })
    const headers = { Authorization: 'Bearer sesame' }
    expect((await served.post(`/loop-apps/${SPAM}/execute`, { input: { text: 'a' } }, headers)).status).toBe(
      200,
    )
    const wrong = { Authorization: 'Bearer sesam' }
    expect((await served.post(`/loop-apps/${SPAM}/execute`, { input: { text: 'a' } }, wrong)).status).toBe(
      401,
    )
  })
})

test('without a token a name that a stranger can own is not answered', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  const ask = (host: string) => served.request('/loop-apps', { headers: { Host: host } })
  expect((await ask('evil.example:8080')).status).toBe(421)
  expect((await ask('localhost:8080')).status).toBe(200)
  expect((await ask('[::1]:8080')).status).toBe(200)
})

test("a caller's request id comes back when it can stand in a log line; else one is made", async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  const ask = async (id: string) =>
    (await served.request('/healthz', { headers: { 'X-Request-Id': id } })).headers.get('X-Request-Id')
  expect(await ask('trace-1')).toBe('trace-1')
  expect(await ask('{"a": 1}')).toMatch(/^[\w-]+$/)
})
