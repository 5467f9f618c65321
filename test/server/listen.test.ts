import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type Listening, listen } from '../../src/server/listen.ts'
import { SILENT } from '../../src/server/log.ts'
import type { Service } from '../../src/server/service.ts'
import { ANSWER_HAM, dataDirectory, OBEY, SPAM, serve } from '../helpers/served.ts'

const EXECUTE = `/loop-apps/${SPAM}/execute`

/** More than fits between two sockets that nobody reads. */
const ANSWER_MUCH = 'def execute(input_data):\n    return "x" * 1_000_000\n'

const IMPATIENT = { headMs: 400, bodyMs: 400, silenceMs: 400 }

async function open(
  program = ANSWER_HAM,
  patience?: typeof IMPATIENT,
): Promise<Listening & { port: number; service: Service }> {
  const { service } = await serve(await dataDirectory({ programs: [program], output: { type: 'string' } }))
  const listening = await listen(service, { host: '127.0.0.1', port: 0, ...(patience && { patience }) })
  onTestFinished(() => listening.close(0))
  return { ...listening, service, port: Number(new URL(listening.url).port) }
}

function post(
  url: string,
  body: string,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(url + EXECUTE, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
    signal,
  })
}

/** Sends bytes as they are, and gives back what comes until the other side closes. */
function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
    for (const part of parts) socket.write(part)
  })
}

const head = (length: number, more = '') =>
  `POST ${EXECUTE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`

const isAlive = async ({ url }: Listening) => (await post(url, '{"input":{"text":"a"}}')).status === 200

async function executions({ url }: Listening): Promise<number> {
  const answer = await fetch(`${url}/loop-apps/${SPAM}/stats`)
  return ((await answer.json()) as { total_executions: number }).total_executions
}

test('a port answers as the handler does, and HEAD has no body', async () => {
  const listening = await open()
  const response = await post(listening.url, '{"input":{"text":"a"}}')
  expect(await response.json()).toMatchObject({ output: 'ham' })
  const healthy = await fetch(`${listening.url}/healthz`, { method: 'HEAD' })
  expect([healthy.status, await healthy.text()]).toEqual([200, ''])
})

test.each([
  ['invalid UTF-8', Buffer.from([...Buffer.from('{"input":{"text":"'), 0xff, 0xfe, ...Buffer.from('"}}')])],
  ['a property twice', '{"input":{"text":"a","text":"b"}}'],
  ['a property twice, written differently', '{"input":{"text":"a","t\\u0065xt":"b"}}'],
  ['__proto__', '{"input":{"text":"a","__proto__":{"x":1}}}'],
  ['__proto__, written differently', '{"input":{"text":"a","\\u005f_proto__":{"x":1}}}'],
  ['a hundred thousand levels', `{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
])('%s is 400, and the server goes on', async (_, body) => {
  const listening = await open()
  const bytes = Buffer.from(body as string)
  const answer = await raw(listening.port, head(bytes.length, 'Connection: close\r\n'), bytes)
  expect(answer).toMatch(/^HTTP\/1.1 400 /)
  expect(answer).toContain('INVALID_JSON')
  expect(await isAlive(listening)).toBe(true)
})

test('a colon in a text is no property', async () => {
  const listening = await open()
  const response = await post(listening.url, '{"input":{"text":"a: \\"b\\": {c:: ["}}')
  expect(response.status).toBe(200)
})

test('a head of 1 MB is 431', async () => {
  const listening = await open()
  const answer = await raw(
    listening.port,
    `GET /healthz HTTP/1.1\r\nX-Large: ${'x'.repeat(1024 * 1024)}\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1.1 431 /)
  expect(await isAlive(listening)).toBe(true)
})

test('a body of 100 MB is 413 after little of it was read, whether it says its length or not', async () => {
  const listening = await open()
  const sent = await Promise.all([true, false].map(isAnnounced => sendMuch(listening, isAnnounced)))
  for (const { status, bytes } of sent) {
    expect(status).toBe(413)
    expect(bytes).toBeLessThan(30 * 1024 * 1024)
  }
  expect(await isAlive(listening)).toBe(true)
})

function sendMuch(
  { port }: { port: number },
  isAnnounced: boolean,
): Promise<{ status: number; bytes: number }> {
  return new Promise(resolve => {
    const length = 100 * 1024 * 1024
    const headers = { 'Content-Type': 'application/json', ...(isAnnounced && { 'Content-Length': length }) }
    const request = httpRequest({ port, path: EXECUTE, method: 'POST', headers })
    const part = Buffer.alloc(64 * 1024, 'x')
    let bytes = 0
    const more = () => {
      while (bytes < length && !request.destroyed) {
        bytes += part.length
        if (!request.write(part)) return
      }
    }
    request.on('drain', more)
    request.on('error', () => {})
    request.on('response', response => {
      resolve({ status: response.statusCode!, bytes })
      request.destroy()
    })
    more()
  })
}

test('what is not HTTP is 400', async () => {
  const listening = await open()
  expect(await raw(listening.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
})

test('a client that goes away in the middle of its body harms nobody', async () => {
  const listening = await open()
  const socket = connect(listening.port, '127.0.0.1')
  socket.write(`${head(1000)}{"input":`)
  await new Promise(resolve => setTimeout(resolve, 50))
  socket.destroy()
  expect(await isAlive(listening)).toBe(true)
})

test.each([
  ['says nothing', ''],
  ['is slow with its head', 'POST / HTTP/1.1\r\nHost: local'],
  ['is slow with its body', `${head(1000)}{"input":`],
])('a client that %s is told, and let go', async (_, sent) => {
  const listening = await open(ANSWER_HAM, IMPATIENT)
  const answer = raw(listening.port, sent)
  expect(await isAlive(listening)).toBe(true)
  expect(await answer).toMatch(/^HTTP\/1.1 408 /)
})

test('a client that closes its half of the connection counts as gone, and nothing is left of it', async () => {
  const listening = await open(OBEY)
  const socket = connect(listening.port, '127.0.0.1')
  const closed = new Promise(resolve => socket.on('close', resolve))
  const body = '{"input":{"text":"sleep"},"timeout_ms":500}'
  socket.end(`${head(body.length)}${body}`)
  socket.resume()
  await closed
  expect(await isAlive(listening)).toBe(true)
  const app = await listening.service.apps.get(SPAM)
  await expect.poll(() => app.health().pending, { timeout: 10_000 }).toBe(0)
})

test('a client that sends lines and takes no answers is read no further, and is let go', async () => {
  const listening = await open(ANSWER_HAM, IMPATIENT)
  const socket = connect(listening.port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.pause()
  socket.write(
    `POST /loop-apps/${SPAM}/execute-batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  const lines = '{"input":{"text":"a"}}\n'.repeat(1000)
  const part = `${lines.length.toString(16)}\r\n${lines}\r\n`
  let bytes = 0
  const clock = setInterval(() => {
    if (socket.writableLength > 1024 * 1024) return
    bytes += part.length
    socket.write(part)
  }, 1)
  await closed
  clearInterval(clock)
  expect(bytes).toBeLessThan(64 * 1024 * 1024)
  expect(await executions(listening)).toBeLessThan(bytes / 20)
  expect(await isAlive(listening)).toBe(true)
})

test('a client that asks for much and takes nothing is let go', async () => {
  const listening = await open(ANSWER_MUCH, IMPATIENT)
  const socket = connect(listening.port, '127.0.0.1')
  const closed = new Promise(resolve => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.pause()
  const body = '{"input":{"text":"a"}}'
  for (let count = 0; count < 20; count++) socket.write(`${head(body.length)}${body}`)
  // Enough to fill what the sockets hold. The last ones are not run when it has been let go by then.
  await expect.poll(() => executions(listening), { timeout: 20_000 }).toBeGreaterThan(10)
  await new Promise(resolve => setTimeout(resolve, 1000))
  let answers = ''
  socket.on('data', chunk => {
    answers += chunk.toString('latin1')
  })
  socket.resume()
  // A connection that is kept would stay open for a minute.
  await closed
  expect(answers.length).toBeLessThan(20e6)
  expect(await isAlive(listening)).toBe(true)
})

test('closing lets the request in work end, and takes no more connections', async () => {
  const listening = await open(OBEY)
  const inWork = post(listening.url, '{"input":{"text":"sleep"},"timeout_ms":600}')
  await new Promise(resolve => setTimeout(resolve, 200))
  const closing = listening.close()
  expect((await inWork).status).toBe(504)
  await closing
  await expect(post(listening.url, '{"input":{"text":"a"}}')).rejects.toThrow()
})

test('a port that is taken is refused with a hint', async () => {
  const listening = await open()
  const { service } = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  await expect(listen(service, { host: '127.0.0.1', port: listening.port })).rejects.toMatchObject({
    code: 'PORT_UNAVAILABLE',
    hint: expect.stringContaining('--port'),
  })
})

test('a call whose client has gone before its turn is not run, unless it has a key and will be asked for again', async () => {
  const listening = await open(OBEY)
  const first = post(listening.url, '{"input":{"text":"sleep"},"timeout_ms":1000}')
  await new Promise(resolve => setTimeout(resolve, 200))
  const gone = new AbortController()
  const ask = (headers = {}) =>
    post(listening.url, '{"input":{"text":"a"}}', headers, gone.signal).catch(error => error.name)
  const waiting = [ask(), ask({ 'Idempotency-Key': 'k1' })]
  await new Promise(resolve => setTimeout(resolve, 200))
  gone.abort()
  expect(await Promise.all(waiting)).toEqual(['AbortError', 'AbortError'])
  expect((await first).status).toBe(504)
  expect(await isAlive(listening)).toBe(true)
  expect(await executions(listening)).toBe(3)
})

test('what is left of a batch is not run when its client has gone', async () => {
  const listening = await open(OBEY)
  const gone = new AbortController()
  const items = Array.from({ length: 100 }, () => ({ input: { text: 'wait' } }))
  const batch = fetch(`${listening.url}/loop-apps/${SPAM}/execute-batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ items, max_concurrency: 1 }),
    signal: gone.signal,
  })
  await new Promise(resolve => setTimeout(resolve, 500))
  gone.abort()
  await expect(batch).rejects.toThrow()
  await new Promise(resolve => setTimeout(resolve, 500))
  const before = await executions(listening)
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(await executions(listening)).toBe(before)
  expect(before).toBeLessThan(items.length)
})

test('more connections than there is room for are closed, and those that are open are answered', async () => {
  const warnings: string[] = []
  const { service } = await serve(await dataDirectory({ programs: [ANSWER_HAM] }), {
    log: { ...SILENT, warn: (_, message) => warnings.push(message) },
  })
  const listening = await listen(service, { host: '127.0.0.1', port: 0, maxConnections: 3 })
  onTestFinished(() => listening.close(0))
  const port = Number(new URL(listening.url).port)
  const open = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      return socket
    }),
  )
  for (let more = 0; more < 5; more++) expect(await raw(port, head(0))).toBe('')
  expect(warnings).toEqual(['more than 3 connections: further ones are closed'])
  const body = '{"input":{"text":"a"}}'
  open[0]!.write(head(body.length) + body)
  const [answer] = await once(open[0]!, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 /)
  for (const socket of open) socket.destroy()
  await expect.poll(() => isAlive(listening)).toBe(true)
})
