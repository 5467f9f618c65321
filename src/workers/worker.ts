import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Duplex, Readable } from 'node:stream'
import type { Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import { causeOfEnd, type End, withLastWords } from './end.ts'
import { openGroup } from './group.ts'
import { underLimits } from './limits.ts'
import { createFrameReader, type Frame } from './protocol.ts'

/** A process that has loaded one program and answers one call at a time. */
export interface Worker {
  /** Resolves when the program is loaded, with the failure when it cannot be. Rejects only as the gate does. */
  ready: Promise<Failure | undefined>
  /** Sends one input, as JSON text. Never rejects. */
  call(input: string, timeoutMs: number): Promise<Reply>
  /**
   * Sends `count` inputs, as the JSON text of a list; more lists may be sent before it is answered. Resolves with the replies to the first of
   * them; the others were not reached. None at all: an earlier list was the end of the process. A failure: the end was during this one,
   * and nobody knows at which input. Never rejects.
   */
  callMany(inputs: Buffer, count: number, timeoutMs: number): Promise<Reply[] | Failure>
  /** How many inputs it has been sent. */
  calls(): number
  ageMs(): number
  isAlive(): boolean
  /** Kills the process, and resolves when it is gone. */
  close(): Promise<void>
}

const LOG_BYTES = 64 * 1024
const LOG_TAIL = 2000
const CLOSE_MS = 2000
/** A chunk is answered as far as it got after 50 ms: with this much more, no input has less than its own time. */
const CHUNK_MS = 100
/** Time for a process that has closed its channel to end by itself, so that its exit status can say why. */
const LAST_WORDS_MS = 100

/**
 * Starts the process and opens the gate at once, and tells the process which program to load when the gate resolves. Must be called on the
 * main thread: a confined process dies with the thread that started it.
 */
export function createWorker(
  launch: Launch,
  limits: Limits,
  gate: () => Promise<unknown> = () => Promise.resolve(),
): Worker {
  const group = openGroup(limits)
  const started = start(underLimits(launch, group?.joins ?? []))
  if (started instanceof Error) {
    group?.close()
    return stillborn(started.message)
  }
  const process_ = started
  const reader = createFrameReader(limits.output_kb * 1024)
  const channel = process_.stdio[3] as Duplex
  const logs = { size: 0, tail: '' }
  const awaited: Exchange[] = []
  let end: End | undefined
  const startedAt = performance.now()
  let memoryKills = 0
  let isLoaded = false
  let isGone = false
  let calls = 0

  function exchange(body: string | Buffer[], limit: { timeoutMs: number; most?: number }): Promise<Answered> {
    return new Promise(settle => {
      if (end) return settle({ answer: { ok: false, ...end }, elapsedMs: 0, isReached: false })
      const nonce = randomUUID()
      reader.expect(nonce, limit.most)
      awaited.push({ settle, timeoutMs: limit.timeoutMs, since: 0, timer: undefined })
      if (awaited.length === 1) begin(awaited[0]!)
      // One part: several, even when they are written together, take twice as long.
      const head = `{"n":"${nonce}",`
      channel.write(
        typeof body === 'string' ? `${head}${body}}\n` : Buffer.concat([Buffer.from(head), ...body, END]),
      )
    })
  }

  /** Its time begins when the one before it is answered. */
  function begin(first: Exchange) {
    logs.size = 0
    first.since = performance.now()
    first.timer = setTimeout(() => {
      // When this process was busy for long, the answer may be there already, unread: only after reading it is the time up.
      setImmediate(() => {
        if (awaited[0] === first) stop('timeout', `no answer within ${first.timeoutMs} ms`)
      })
    }, first.timeoutMs)
  }

  function settle(answer: Answer) {
    const first = awaited.shift()
    if (!first) return
    clearTimeout(first.timer)
    if (answer.ok && awaited[0]) begin(awaited[0])
    first.settle({ answer, elapsedMs: performance.now() - first.since, isReached: true })
  }

  /** The first reason is the one that counts; what the process says while it dies does not. */
  function stop(kind: FailureKind, message: string) {
    end ??= { kind, message }
    if (!isGone) kill(process_)
    const answer: Answer = { ok: false, ...end }
    settle(answer)
    for (const next of awaited.splice(0)) next.settle({ answer, elapsedMs: 0, isReached: false })
  }

  channel.on('data', (chunk: Buffer) => {
    if (end) return
    const violation = reader.push(chunk, take)
    if (violation === 'output-limit')
      stop('output-limit', `the output is larger than ${limits.output_kb} KiB`)
    else if (violation) stop('protocol', `the program broke the frame protocol: ${violation}`)
  })

  function take(frame: Frame) {
    if (!frame.ok && frame.kind === 'sandbox-unavailable' && isLoaded)
      stop('protocol', 'the program broke the frame protocol: bad-frame')
    else if (!frame.ok && frame.kind === 'killed' && isOutOfMemory()) settle({ ok: false, ...OUT_OF_MEMORY })
    else settle(frame)
  }

  /** Whether the kernel has killed for memory since this was last asked. */
  function isOutOfMemory(): boolean {
    const before = memoryKills
    memoryKills = group?.memoryKills() ?? 0
    return memoryKills > before
  }

  channel.on('end', () => setTimeout(() => !isGone && kill(process_), LAST_WORDS_MS).unref())

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
    process_.on('exit', () => {
      kill(process_)
      isGone = true
    })
    process_.on('close', (status, signal) => {
      const cause = isOutOfMemory() ? OUT_OF_MEMORY : causeOfEnd(status, signal, isLoaded)
      const { kind, message } = withLastWords(cause, logs.tail)
      stop(kind, message)
      group?.close()
      resolve()
    })
  })

  async function load(): Promise<Failure | undefined> {
    try {
      await gate()
    } catch (problem) {
      stop('killed', 'it was not let in')
      throw problem
    }
    const config = JSON.stringify(launch.runner).slice(1, -1)
    const { answer, elapsedMs } = await exchange(config, { timeoutMs: limits.load_ms })
    if (answer.ok) {
      isLoaded = true
      return
    }
    const kind = answer.kind === 'sandbox-unavailable' ? answer.kind : 'start-failed'
    const message =
      answer.kind === 'timeout' ? `the program did not load within ${limits.load_ms} ms` : answer.message
    stop(kind, message)
    return { kind, message, latencyMs: elapsedMs }
  }

  const ready = load()
  ready.catch(() => {})

  return {
    ready,
    async call(input, timeoutMs) {
      calls++
      const { answer, elapsedMs } = await exchange(`"in":${input}`, { timeoutMs })
      if (!answer.ok) return { kind: answer.kind, message: answer.message, latencyMs: elapsedMs }
      return { kind: 'ok', value: 'out' in answer ? answer.out : undefined, latencyMs: elapsedMs }
    },
    async callMany(inputs, count, timeoutMs) {
      calls += count
      const { answer, elapsedMs, isReached } = await exchange([INPUTS, inputs], {
        timeoutMs: timeoutMs + CHUNK_MS,
        most: count,
      })
      if (answer.ok) return 'outs' in answer ? apportion(answer, elapsedMs) : []
      return isReached ? { kind: answer.kind, message: answer.message, latencyMs: elapsedMs } : []
    },
    calls: () => calls,
    ageMs: () => performance.now() - startedAt,
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

const OUT_OF_MEMORY: End = { kind: 'memory', message: 'the program used more memory than it may' }

/** A request that is not answered yet. */
interface Exchange {
  settle: (answered: Answered) => void
  timeoutMs: number
  since: number
  timer: NodeJS.Timeout | undefined
}

interface Answered {
  answer: Answer
  elapsedMs: number
  /** False when the process ended before it came to this request. */
  isReached: boolean
}

const INPUTS = Buffer.from('"ins":')
const END = Buffer.from('}\n')

type Answer = Extract<Frame, { ok: true }> | ({ ok: false } & End)

/** Nobody knows what each input took: all took the same. */
function apportion({ outs, bad }: Extract<Frame, { outs: unknown[] }>, elapsedMs: number): Reply[] {
  const latencyMs = elapsedMs / outs.length
  const replies = outs.map((value): Reply => ({ kind: 'ok', value, latencyMs }))
  for (const [place, kind, message] of bad) replies[place] = { kind, message, latencyMs }
  return replies
}

/** The process, or why there is none: a list of arguments that is too long, no descriptors left. */
function start(launch: Launch): ChildProcess | Error {
  try {
    const child = spawn(launch.command, launch.args, {
      cwd: '/',
      env: launch.env,
      // A group of its own, to be killed as one.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', launch.filter ? 'pipe' : 'ignore'],
    })
    child.on('error', () => {})
    if (!child.stdio?.[3]) return new Error('there are too many open files')
    // A pipe needs no file and leaves none behind; a filter is smaller than its buffer, so that nothing waits for anything.
    const filter = child.stdio[4] as Duplex | null
    filter?.on('error', () => {})
    filter?.end(launch.filter)
    return child
  } catch (problem) {
    return problem as Error
  }
}

function stillborn(message: string): Worker {
  const failure = (): Promise<Failure> =>
    Promise.resolve({ kind: 'sandbox-unavailable', message, latencyMs: 0 })
  return {
    ready: failure(),
    call: failure,
    callMany: failure,
    calls: () => 0,
    ageMs: () => 0,
    isAlive: () => false,
    close: () => Promise.resolve(),
  }
}

function kill(child: ChildProcess) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}
