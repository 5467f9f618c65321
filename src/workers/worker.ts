import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import type { Duplex, Readable } from 'node:stream'
import type { Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import { createFrameReader } from './protocol.ts'

/** A process that has loaded one program and answers one call at a time. */
export interface Worker {
  /** Resolves when the program is loaded, with the failure when it cannot be. Rejects only as the gate does. */
  ready: Promise<Failure | undefined>
  /** Sends one input, as JSON text. Never rejects. */
  call(input: string, timeoutMs: number): Promise<Reply>
  /** How many calls it has been sent. */
  calls(): number
  isAlive(): boolean
  /** Kills the process, and resolves when it is gone. */
  close(): Promise<void>
}

const LOG_BYTES = 64 * 1024
const LOG_TAIL = 2000
const CLOSE_MS = 2000
/** Time for a process that has closed its channel to end by itself, so that its exit status can say why. */
const LAST_WORDS_MS = 100

/**
 * Starts the process at once, and tells it which program to load when `gate` resolves. Must be called on the main thread: a confined process
 * dies with the thread that started it.
 */
export function createWorker(
  launch: Launch,
  limits: Limits,
  gate: Promise<unknown> = Promise.resolve(),
): Worker {
  const reader = createFrameReader(limits.output_kb * 1024)
  const process_ = start(launch)
  const channel = process_.stdio[3] as Duplex
  const logs = { size: 0, tail: '' }
  let awaited: { settle: (reply: Reply) => void; since: number; timer: NodeJS.Timeout } | undefined
  let end: { kind: FailureKind; message: string } | undefined
  let isLoaded = false
  let calls = 0

  function exchange(body: (nonce: string) => string, timeoutMs: number): Promise<Reply> {
    return new Promise(resolve => {
      const since = performance.now()
      if (end) return resolve({ ...end, latencyMs: 0 })
      const nonce = randomUUID()
      const timer = setTimeout(() => stop('timeout', `no answer within ${timeoutMs} ms`), timeoutMs)
      awaited = { settle: resolve, since, timer }
      logs.size = 0
      reader.expect(nonce)
      channel.write(`${body(nonce)}\n`)
    })
  }

  function settle(answer: { kind: 'ok'; value: unknown } | { kind: FailureKind; message: string }) {
    if (!awaited) return
    const { settle, since, timer } = awaited
    awaited = undefined
    clearTimeout(timer)
    settle({ ...answer, latencyMs: performance.now() - since })
  }

  /** The first reason is the one that counts; what the process says while it dies does not. */
  function stop(kind: FailureKind, message: string) {
    end ??= { kind, message }
    kill(process_)
    settle(end)
  }

  channel.on('data', (chunk: Buffer) => {
    if (end) return
    const frame = reader.push(chunk)
    if (frame === undefined) return
    if (frame === 'output-limit') stop('output-limit', `the output is larger than ${limits.output_kb} KiB`)
    else if (typeof frame === 'string') stop('protocol', `the program broke the frame protocol: ${frame}`)
    else if (frame.ok) settle({ kind: 'ok', value: frame.out })
    else if (frame.kind === 'sandbox-unavailable' && isLoaded)
      stop('protocol', 'the program broke the frame protocol: bad-frame')
    else settle({ kind: frame.kind, message: frame.message })
  })
  channel.on('end', () => setTimeout(() => kill(process_), LAST_WORDS_MS).unref())

  for (const stream of [process_.stdout, process_.stderr] as Readable[]) {
    stream.on('data', (chunk: Buffer) => {
      logs.size += chunk.length
      logs.tail = (logs.tail + chunk.toString()).slice(-LOG_TAIL)
      if (logs.size > LOG_BYTES) stop('log-limit', `the program printed more than ${LOG_BYTES / 1024} KiB`)
    })
  }

  // A killed process resets its streams; why it ended is told by its exit.
  for (const stream of process_.stdio) stream?.on('error', () => {})

  const gone = new Promise<void>(resolve => {
    process_.on('error', problem => {
      stop('sandbox-unavailable', problem.message)
      resolve()
    })
    // Without a process id namespace, something may be left of the group.
    process_.on('exit', () => kill(process_))
    process_.on('close', (status, signal) => {
      const { kind, message } = causeOfEnd(status, signal, isLoaded)
      const lastLine = logs.tail.trim().split('\n').at(-1)
      stop(
        kind,
        kind === 'sandbox-unavailable'
          ? lastLine || message
          : lastLine
            ? `${message}; its last words: ${lastLine}`
            : message,
      )
      resolve()
    })
  })

  async function load(): Promise<Failure | undefined> {
    try {
      await gate
    } catch (problem) {
      stop('killed', 'it was not let in')
      throw problem
    }
    const reply = await exchange(nonce => JSON.stringify({ n: nonce, ...launch.runner }), limits.load_ms)
    if (reply.kind === 'ok') {
      isLoaded = true
      return
    }
    const kind = reply.kind === 'sandbox-unavailable' ? reply.kind : 'start-failed'
    const message =
      reply.kind === 'timeout' ? `the program did not load within ${limits.load_ms} ms` : reply.message
    stop(kind, message)
    return { ...reply, kind, message }
  }

  const ready = load()
  ready.catch(() => {})

  return {
    ready,
    call(input, timeoutMs) {
      calls++
      return exchange(nonce => `{"n":"${nonce}","in":${input}}`, timeoutMs)
    },
    calls: () => calls,
    isAlive: () => end === undefined,
    async close() {
      stop('killed', 'the worker was closed')
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>(resolve => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      await Promise.race([gone, patience])
      clearTimeout(timer)
    },
  }
}

function start(launch: Launch): ChildProcess {
  const child = spawn(launch.command, launch.args, {
    cwd: '/',
    env: launch.env,
    // A group of its own, to be killed as one.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', launch.filter ? 'pipe' : 'ignore'],
  })
  // A pipe needs no file and leaves none behind; a filter is smaller than its buffer, so that nothing waits for anything.
  const filter = child.stdio[4] as Duplex | null
  filter?.on('error', () => {})
  filter?.end(launch.filter)
  return child
}

function kill(child: ChildProcess) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

/** The harness passes on, as 128 + n, the signal that ended the program; status 1 is never its own. */
function causeOfEnd(
  status: number | null,
  signal: NodeJS.Signals | null,
  isLoaded: boolean,
): { kind: FailureKind; message: string } {
  const number = signal ? constants.signals[signal] : status !== null && status > 128 ? status - 128 : 0
  if (number === constants.signals.SIGXCPU)
    return { kind: 'cpu', message: 'the program used up its processor time' }
  if (number) return { kind: 'killed', message: `the program was ended by ${signalName(number)}` }
  if (status === 1 && !isLoaded)
    return { kind: 'sandbox-unavailable', message: 'the process could not be started' }
  return { kind: 'noreply', message: 'the program ended without an answer' }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}
