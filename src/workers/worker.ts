import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import type { Duplex, Readable } from 'node:stream'
import type { Admission, Gate, Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import { causeOfEnd, type End, withLastWords } from './end.ts'
import { openGroup } from './group.ts'
import { withoutInherited } from './inherited.ts'
import { underLimits } from './limits.ts'
import { createFrameReader, type Frame } from './protocol.ts'

/** A process that has loaded one program and answers one call at a time. Where its harness can, it is renewed when it ends, again and again. */
export interface Worker {
  /**
   * Resolves when the program is loaded, with the failure when it cannot be. Rejects only as the gate does. Another promise for each
   * process that takes the place of an earlier one.
   */
  readonly ready: Promise<Failure | undefined>
  /** Sends one input, as JSON text. Never rejects. */
  call(input: string, timeoutMs: number): Promise<Reply>
  /**
   * Sends `count` inputs, as the JSON text of a list; more lists may be sent before it is answered. Resolves with the replies to the first of
   * them; the others were not reached. None at all: an earlier list was the end of the process. A failure: the end was during this one.
   * Never rejects.
   */
  callMany(inputs: Buffer, count: number, timeoutMs: number): Promise<Reply[] | ChunkFailure>
  /** How many inputs the process has been sent. */
  calls(): number
  /** Sees to it that the next call is the first one of its process. Returns false where that cannot be done, or not any more. */
  renew(): boolean
  ageMs(): number
  isAlive(): boolean
  /** Kills the process, and resolves when it is gone. */
  close(): Promise<void>
}

/** At which input it was, when that is known: as the program claims. */
export interface ChunkFailure extends Failure {
  at?: number
}

const LOG_BYTES = 64 * 1024
const LOG_TAIL = 2000
const CLOSE_MS = 2000
/** A chunk is answered as far as it got after 50 ms: with this much more, no input has less than its own time. */
const CHUNK_MS = 100
/** What the supervisor says is shorter. */
const MAX_NEWS = 1000
/** Time for a process that has closed its channel to end by itself, so that its exit status can say why. */
const LAST_WORDS_MS = 100

/**
 * Starts the process and opens the gate at once, and tells the process which program to load when the gate resolves. Must be called on the
 * main thread: a confined process dies with the thread that started it.
 */
export function createWorker(
  launch: Launch,
  limits: Limits,
  gate: Gate = () => Promise.resolve(undefined),
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
  const control = launch.renews ? ([...process_.stdio][5] as Duplex) : undefined
  const logs = { size: 0, tail: '' }
  const awaited: Exchange[] = []
  let end: End | undefined
  const startedAt = performance.now()
  let memoryKills = 0
  let isLoaded = false
  let isGone = false
  let calls = 0
  let chunks = 0
  /** A process is about to take the place of one that has ended. */
  let renewal: Promise<unknown> | undefined
  /** The exchange for which the process is being killed: it took too long. */
  let overdue: Exchange | undefined
  /** What comes up the channel is still of the process that has ended. */
  let isSkipping = false
  let news = ''
  /** To be called with what the supervisor says, by whoever hears it. */
  let tell: ((news: News) => void) | undefined
  let patience: NodeJS.Timeout | undefined
  /** The folder that the process was given as its program's. */
  let folder: string | undefined
  let abandon: ((answered: Answered) => void) | undefined

  function exchange(body: string | Buffer[], limit: Limit): Promise<Answered> {
    return new Promise(settle => {
      if (end) return settle({ answer: { ok: false, ...end }, elapsedMs: 0, isReached: false })
      const nonce = randomUUID()
      expect(nonce, { settle, ...limit, since: 0, timer: undefined })
      // One part: several, even when they are written together, take twice as long.
      const head = `{"n":"${nonce}",`
      channel.write(
        typeof body === 'string' ? `${head}${body}}\n` : Buffer.concat([Buffer.from(head), ...body, END]),
      )
    })
  }

  function expect(nonce: string, next: Exchange) {
    reader.expect(nonce, next.most)
    awaited.push(next)
    if (awaited.length === 1) begin(next)
  }

  /** Its time begins when the one before it is answered. */
  function begin(first: Exchange) {
    logs.size = 0
    first.since = performance.now()
    if (first.most !== undefined) chunks++
    const isRenewable = control && isLoaded
    const late = () => (isRenewable ? killLate(first) : stop('timeout', tooLate(first.timeoutMs)))
    // A chunk is answered as far as it got after a while: with this much more, no input has less than its own time.
    const spareMs = first.most === undefined || isRenewable ? 0 : CHUNK_MS
    first.timer = setTimeout(() => {
      // When this process was busy for long, the answer may be there already, unread: only after reading it is the time up.
      setImmediate(() => awaited[0] === first && !isSkipping && late())
    }, first.timeoutMs + spareMs)
  }

  /** The supervisor kills the process, for a chunk when one of its inputs has taken so long. If it does not, everything goes. */
  function killLate(first: Exchange) {
    overdue = first
    const isChunk = first.most !== undefined
    control!.write(isChunk ? `${chunks} ${first.timeoutMs}\n` : '\n')
    const patienceMs = isChunk ? first.timeoutMs + 3 * CHUNK_MS : CLOSE_MS
    first.timer = setTimeout(() => {
      setImmediate(() => awaited[0] === first && !isSkipping && stop('timeout', tooLate(first.timeoutMs)))
    }, patienceMs)
  }

  function settle(answer: Answer) {
    const first = awaited.shift()
    if (!first) return
    clearTimeout(first.timer)
    if (!end && awaited[0]) begin(awaited[0])
    first.settle({ answer, elapsedMs: performance.now() - first.since, isReached: true })
  }

  /** The process that ran the program is no more, and its supervisor waits. */
  function renewAfter(news: News) {
    // A program that cannot be loaded is not tried again and again: the supervisor ends as its child did.
    if (!isLoaded && !tell) return control!.end()
    if (!tell) awaitNews()
    tell!(news)
    tell = undefined
  }

  /** From here on calls wait for the next process. */
  function awaitNews() {
    isLoaded = false
    patience = setTimeout(() => stop('killed', 'its supervisor does not answer'), limits.load_ms)
    ready = new Promise<News>(resolve => {
      tell = resolve
    }).then(replace)
    const forget = () => {
      renewal = undefined
    }
    renewal = ready.then(forget, forget)
  }

  async function replace(news: News): Promise<Failure | undefined> {
    if (end) return { ...end, latencyMs: 0 }
    clearTimeout(awaited[0]?.timer)
    clearTimeout(patience)
    isSkipping = true
    const mark = randomUUID()
    const loading = new Promise<Answered>(settle => {
      abandon = settle
      reader.skipTo(mark, () => {
        clearTimeout(patience)
        isSkipping = false
        // At once: what follows the mark is of the next process.
        loseAwaited(news)
        expect(mark, { settle, timeoutMs: limits.load_ms, isLoad: true, since: 0, timer: undefined })
      })
    })
    let admission: Admission | undefined
    try {
      admission = await gate()
    } catch (problem) {
      loseAwaited(news)
      stop('killed', 'it was not let in')
      throw problem
    }
    if (admission?.folder !== folder) {
      // It was put there anew: only a new process sees it.
      loseAwaited(news)
      stop('killed', 'its folder is another one now')
      return { ...end!, latencyMs: 0 }
    }
    patience = setTimeout(() => stop('killed', 'its supervisor does not answer'), limits.load_ms)
    channel.write(`\n${mark}\n`)
    control!.write(`${mark}\n`)
    return finishLoading(loading, admission)
  }

  /** What was asked last and not answered is what the process has ended at. */
  function loseAwaited({ status, at, late }: News) {
    const first = awaited[0]
    // When it was killed: it may have ended in another way meanwhile.
    const isLate = status === KILLED && (late || first?.most === undefined)
    const reason: End =
      first && first === overdue && isLate
        ? { kind: 'timeout', message: tooLate(first.timeoutMs) }
        : withLastWords(isOutOfMemory() ? OUT_OF_MEMORY : causeOfEnd(status, null, true), logs.tail)
    logs.tail = ''
    overdue = undefined
    const [lost, ...others] = awaited.splice(0)
    clearTimeout(lost?.timer)
    const elapsedMs = lost ? performance.now() - lost.since : 0
    lost?.settle({ answer: { ok: false, ...reason }, elapsedMs, isReached: true, at })
    for (const next of others)
      next.settle({ answer: { ok: false, ...reason }, elapsedMs: 0, isReached: false })
  }

  /** The first reason is the one that counts; what the process says while it dies does not. */
  function stop(kind: FailureKind, message: string) {
    end ??= { kind, message }
    if (!isGone) kill(process_)
    const answer: Answer = { ok: false, ...end }
    settle(answer)
    for (const next of awaited.splice(0)) next.settle({ answer, elapsedMs: 0, isReached: false })
    clearTimeout(patience)
    abandon?.({ answer, elapsedMs: 0, isReached: false })
    tell?.(NO_NEWS)
  }

  channel.on('data', (chunk: Buffer) => {
    if (end) return
    const violation = reader.push(chunk, take)
    if (violation === 'output-limit')
      stop('output-limit', `the output is larger than ${limits.output_kb} KiB`)
    else if (violation) stop('protocol', `the program broke the frame protocol: ${violation}`)
  })

  function take(frame: Frame) {
    if (!frame.ok && frame.kind === 'sandbox-unavailable' && !awaited[0]?.isLoad)
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

  control?.on('data', (part: Buffer) => {
    news += part.toString('latin1')
    if (end || !news.endsWith('\n')) return
    const told = readNews(news)
    news = ''
    if (told) renewAfter(told)
    else stop('protocol', 'the supervisor of the program was not understood')
  })

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
    let admission: Admission | undefined
    try {
      admission = await gate()
    } catch (problem) {
      stop('killed', 'it was not let in')
      throw problem
    }
    folder = admission?.folder
    const config = JSON.stringify({ ...launch.runner, folder }).slice(1, -1)
    return finishLoading(exchange(config, { timeoutMs: limits.load_ms, isLoad: true }), admission)
  }

  async function finishLoading(
    loading: Promise<Answered>,
    admission: Admission | undefined,
  ): Promise<Failure | undefined> {
    const { answer, elapsedMs } = await loading
    try {
      // Also when it could not be loaded: what was there instead may be why.
      if (!end) admission?.confirm()
    } catch (problem) {
      stop('killed', 'its program was changed while it was loaded')
      throw problem
    }
    if (answer.ok) {
      isLoaded = true
      calls = 0
      chunks = 0
      return
    }
    const kind = answer.kind === 'sandbox-unavailable' ? answer.kind : 'start-failed'
    const message =
      answer.kind === 'timeout' ? `the program did not load within ${limits.load_ms} ms` : answer.message
    stop(kind, message)
    return { kind, message, latencyMs: elapsedMs }
  }

  let ready = load()
  ready.catch(() => {})

  return {
    get ready() {
      return ready
    },
    async call(input, timeoutMs) {
      if (renewal) await renewal
      calls++
      const { answer, elapsedMs } = await exchange(`"in":${input}`, { timeoutMs })
      if (!answer.ok) return { kind: answer.kind, message: answer.message, latencyMs: elapsedMs }
      return { kind: 'ok', value: 'out' in answer ? answer.out : undefined, latencyMs: elapsedMs }
    },
    async callMany(inputs, count, timeoutMs) {
      if (renewal) await renewal
      calls += count
      const { answer, elapsedMs, isReached, at } = await exchange([INPUTS, inputs], {
        timeoutMs,
        most: count,
      })
      if (answer.ok) return 'outs' in answer ? apportion(answer, elapsedMs) : []
      if (!isReached) return []
      const isKnown = at !== undefined && at >= 0 && at < count
      const { kind, message } = answer
      return { kind, message, latencyMs: elapsedMs, ...(isKnown && { at }) }
    },
    calls: () => calls,
    renew() {
      if (!control || end || !(isLoaded || renewal)) return false
      if (renewal || calls === 0) return true
      control.write('\n')
      awaitNews()
      return true
    },
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

/** What the supervisor says of the process that it has seen end. */
interface News {
  status: number
  /** The place in the chunk, or -1. */
  at: number
  /** An input had taken too long. */
  late: boolean
}

const KILLED = 128 + constants.signals.SIGKILL
const NO_NEWS: News = { status: 0, at: -1, late: false }

function readNews(text: string): News | undefined {
  if (text.length > MAX_NEWS) return
  try {
    const { status, at, late } = JSON.parse(text)
    if (Number.isInteger(status) && Number.isInteger(at) && typeof late === 'boolean')
      return { status, at, late }
  } catch {
    // Not from a supervisor of ours.
  }
}

function tooLate(timeoutMs: number): string {
  return `no answer within ${timeoutMs} ms`
}

/** A request that is not answered yet. */
interface Exchange extends Limit {
  settle: (answered: Answered) => void
  since: number
  timer: NodeJS.Timeout | undefined
}

interface Limit {
  timeoutMs: number
  /** How many inputs, when it is a chunk. */
  most?: number
  isLoad?: boolean
}

interface Answered {
  answer: Answer
  elapsedMs: number
  /** False when the process ended before it came to this request. */
  isReached: boolean
  at?: number
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
    const own = ['ignore', 'pipe', 'pipe', 'pipe', launch.filter ? 'pipe' : 'ignore'] as const
    const child = withoutInherited([...own, ...(launch.renews ? (['pipe'] as const) : [])], stdio =>
      // A group of its own, to be killed as one.
      spawn(launch.command, launch.args, { cwd: '/', env: launch.env, detached: true, stdio }),
    )
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
    renew: () => false,
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
