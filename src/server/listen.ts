import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { LoopaiError } from '../domain/errors.ts'
import type { Answer, Call } from './exchange.ts'
import { tooLarge } from './handler.ts'
import { problem } from './problem.ts'
import type { Service } from './service.ts'

/** An open port. */
export interface Listening {
  url: string
  /** Takes no new connections, lets requests in work end, and closes. The service stays open. */
  close(patienceMs?: number): Promise<void>
}

/** How long a client may take. */
interface Patience {
  /** For the head of a request. */
  headMs: number
  /** For a body that is read whole. */
  bodyMs: number
  /** Between two parts of a stream that it sends or takes, and for an answer that it takes. */
  silenceMs: number
}

interface Port {
  host: string
  port: number
  patience?: Patience
  maxConnections?: number
}

/** What the requests of one port have in common. */
interface Door {
  patience: Patience
  isClosing: boolean
  /** Of large bodies that are not complete, or not answered yet. */
  largeBytes: number
  /** Bodies that are being read: one clock for all of them costs less than a timer for each. */
  reading: Set<Reading>
}

interface Reading {
  /** On the clock of `performance.now`. */
  until: number
  giveUp: () => void
}

const PATIENCE: Patience = { headMs: 10_000, bodyMs: 30_000, silenceMs: 60_000 }
const LOOK_MS = 2000
const KEEP_ALIVE_MS = 65_000
const PATIENCE_MS = 30_000
const MAX_HEAD_BYTES = 16 * 1024
/** Of all bodies that are read whole at the same time and are not small: for those there is always room. */
const MAX_LARGE_BYTES = 256 * 1024 * 1024
const SMALL_BYTES = 64 * 1024
const MAX_CONNECTIONS = 8192
const REPORT_MS = 60_000

/**
 * The only place that opens a port. Node's own HTTP server, without a framework on top: measured on one `execute`, the adapters from its
 * streams to `Request` and `Response` cost a third of the throughput.
 */
export async function listen(
  service: Service,
  { host, port, patience = PATIENCE, maxConnections = mostConnections() }: Port,
): Promise<Listening> {
  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: patience.headMs,
    // Streams may take as long as they like; `read` and `stream` watch the clock themselves.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(LOOK_MS, patience.headMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  })
  const door: Door = { patience, isClosing: false, largeBytes: 0, reading: new Set() }
  const clock = setInterval(() => giveUpSlow(door), Math.min(LOOK_MS, patience.bodyMs / 4)).unref()
  server.on('request', (request, response) => void respond(service, request, response, door))
  server.on('checkContinue', (request, response) => {
    response.writeContinue()
    server.emit('request', request, response)
  })
  server.on('clientError', refuseBrokenRequest)
  server.maxConnections = maxConnections
  server.on(
    'drop',
    reportSometimes(service, `more than ${maxConnections} connections: further ones are closed`),
  )
  await bind(server, host, port)
  return {
    url: urlOf(server.address() as AddressInfo),
    async close(patienceMs = PATIENCE_MS) {
      door.isClosing = true
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), patienceMs)
      await closed
      clearTimeout(timer)
      clearInterval(clock)
    },
  }
}

async function respond(service: Service, request: IncomingMessage, response: ServerResponse, door: Door) {
  const { status, headers, body } = await service.answer(callOf(request, response, door))
  if (response.destroyed) return
  // The rest of a body for which there is no room is not read either.
  if (door.isClosing || (status === 503 && !request.complete)) headers.Connection = 'close'
  if (typeof body !== 'string') return stream(response, status, headers, body, door.patience.silenceMs)
  headers['Content-Length'] = String(Buffer.byteLength(body))
  response.writeHead(status, headers)
  response.end(request.method === 'HEAD' ? undefined : body)
  if (response.writableLength > 0) letGo(response, door.patience.silenceMs)
  if (headers.Connection === 'close' && !request.complete) cutOff(request)
}

/** An answer that its client does not take is not kept for ever. */
function letGo(response: ServerResponse, silenceMs: number) {
  const timer = setTimeout(() => response.destroy(), silenceMs)
  response.once('close', () => clearTimeout(timer))
}

/** A body that nobody wants is not read to its end. The client gets a moment to read why. */
function cutOff(request: IncomingMessage) {
  request.resume()
  const timer = setTimeout(() => request.socket.destroy(), 500)
  request.once('close', () => clearTimeout(timer))
}

/** Makes the next part when the reader has taken the last ones. */
async function stream(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  parts: AsyncIterable<string>,
  silenceMs: number,
) {
  response.writeHead(status, headers)
  response.flushHeaders()
  try {
    for await (const part of parts) {
      if (response.destroyed) return
      if (!response.write(part)) await drained(response, silenceMs)
    }
    response.end()
  } catch {
    // The client has gone, or must see that this is not the end.
    response.destroy()
  }
}

function drained(response: ServerResponse, silenceMs: number): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      clearTimeout(timer)
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    const timer = setTimeout(() => response.destroy(), silenceMs)
    response.once('drain', go)
    response.once('close', go)
  })
}

function callOf(request: IncomingMessage, response: ServerResponse, door: Door): Call {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    // Not a getter: each one made is a new shape of object, which keeps the request in memory until the next full collection.
    query: () => new URLSearchParams(mark < 0 ? '' : url.slice(mark)),
    header: name => request.headers[name] as string | undefined,
    read: maxBytes => read(request, response, maxBytes, door),
    stream: () => readSlowly(request, door.patience.silenceMs),
    isGone: () => response.destroyed,
  }
}

function read(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  door: Door,
): Promise<Buffer> {
  const { bodyMs } = door.patience
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge(maxBytes))
    const chunks: Buffer[] = []
    let size = 0
    /** What of it is among the large ones. */
    let counted = 0
    const reading = { until: performance.now() + bodyMs, giveUp: () => stop(tooSlow(bodyMs)) }
    door.reading.add(reading)
    const stop = (problem: Error) => {
      door.reading.delete(reading)
      request.off('data', take)
      chunks.length = 0
      reject(problem)
    }
    const hasRoom = () => {
      if (counted === 0) {
        response.once('close', () => {
          door.largeBytes -= counted
        })
      }
      door.largeBytes += size - counted
      counted = size
      return door.largeBytes <= MAX_LARGE_BYTES
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) return stop(tooLarge(maxBytes))
      if (size > SMALL_BYTES && !hasRoom()) return stop(tooMuch())
      chunks.push(chunk)
    }
    request.on('data', take)
    request.on('end', () => {
      door.reading.delete(reading)
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))
    })
    request.on('error', () => stop(new LoopaiError('INTERRUPTED', 'the client went away')))
  })
}

async function* readSlowly(request: IncomingMessage, silenceMs: number): AsyncGenerator<Buffer> {
  request.setTimeout(silenceMs, () => request.destroy())
  yield* request as AsyncIterable<Buffer>
}

/** What connections leave of the files that this process may open is for programs, datasets and git. */
function mostConnections(): number {
  try {
    const files = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return Math.min(MAX_CONNECTIONS, Math.floor(Number(files ?? Infinity) / 2))
  } catch {
    return MAX_CONNECTIONS
  }
}

/** Whoever causes it can do so a thousand times a second. */
function reportSometimes({ log }: Service, sentence: string): () => void {
  let last = -Infinity
  return () => {
    if (performance.now() - last < REPORT_MS) return
    last = performance.now()
    log.warn({}, sentence)
  }
}

function giveUpSlow({ reading }: Door) {
  const now = performance.now()
  for (const { until, giveUp } of reading) if (now >= until) giveUp()
}

function tooMuch(): LoopaiError {
  return new LoopaiError('BUSY', 'too many large bodies are sent at the same time', {
    hint: 'call again later',
  })
}

function tooSlow(bodyMs: number): LoopaiError {
  return new LoopaiError('SLOW_REQUEST', `the body did not come within ${bodyMs / 1000} seconds`)
}

const BROKEN: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
}

/** What is not HTTP never becomes a request. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Socket) {
  if (!socket.writable) return socket.destroy()
  const [status, detail] = BROKEN[error.code ?? ''] ?? [400, 'this is not HTTP']
  const { body } = problem(status, 'USAGE', detail) as Answer & { body: string }
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === 'EADDRINUSE'
      const message = isTaken
        ? `port ${port} of ${host} is taken`
        : `cannot listen on ${host}:${port}: ${cause.message}`
      reject(new LoopaiError('PORT_UNAVAILABLE', message, { hint: 'choose another one with --port', cause }))
    })
    server.listen(port, host, resolve)
  })
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
