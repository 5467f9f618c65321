import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import type { Admission, Gate, Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import type { End } from './end.ts'
import { type Answered, createExchanges, type Exchange, type Request } from './exchanges.ts'
import { CLOSE_MS, OUT_OF_MEMORY, startProcess } from './process.ts'
import { createFrameReader, type Frame } from './protocol.ts'
import { listenTo, type News } from './supervisor.ts'

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

/** A chunk is answered as far as it got after 50 ms: with this much more, no input has less than its own time. */
const CHUNK_MS = 100
const KILLED = 128 + constants.signals.SIGKILL

/**
 * Starts the process and opens the gate at once, and tells the process which program to load when the gate resolves. Must be called on the
 * main thread: a confined process dies with the thread that started it.
 */
export function createWorker(
  launch: Launch,
  limits: Limits,
  gate: Gate = () => Promise.resolve(undefined),
): Worker {
  const started = startProcess(launch, limits, { isLoaded: () => isLoaded, stop })
  if (started instanceof Error) return stillborn(started.message)
  const process_ = started
  const { channel, control } = process_
  const reader = createFrameReader(limits.output_kb * 1024)
  const exchanges = createExchanges(begun)
  const startedAt = performance.now()
  const loading: Request = { timeoutMs: limits.load_ms, isLoad: true }
  let end: End | undefined
  let isLoaded = false
  let calls = 0
  /** The folder that the process was given as its program's. */
  let folder: string | undefined
  /** To be called with what the supervisor says of the process that it has been told to kill. */
  let tell: ((news: News) => void) | undefined
  let ready = load()
  ready.catch(() => {})
  listenTo(control, hear)

  async function load(): Promise<Failure | undefined> {
    const admission = await admit()
    folder = admission?.folder
    const config = JSON.stringify({ ...launch.runner, folder }).slice(1, -1)
    return finishLoading(ask(config, loading), admission)
  }

  async function admit(refused = () => {}): Promise<Admission | undefined> {
    try {
      return await gate()
    } catch (problem) {
      refused()
      stop('killed', 'it was not let in')
      throw problem
    }
  }

  async function finishLoading(
    answered: Promise<Answered>,
    admission: Admission | undefined,
  ): Promise<Failure | undefined> {
    const { answer, elapsedMs } = await answered
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
      return
    }
    const kind = answer.kind === 'sandbox-unavailable' ? answer.kind : 'start-failed'
    const message =
      answer.kind === 'timeout' ? `the program did not load within ${limits.load_ms} ms` : answer.message
    stop(kind, message)
    return { kind, message, latencyMs: elapsedMs }
  }

  function ask(body: string | Buffer[], request: Request): Promise<Answered> {
    if (end) return Promise.resolve({ answer: { ok: false, ...end }, elapsedMs: 0, isReached: false })
    const nonce = randomUUID()
    reader.expect(nonce, request.most)
    const answered = exchanges.add(request)
    // One part: several, even when they are written together, take twice as long.
    const head = `{"n":"${nonce}",`
    channel.write(
      typeof body === 'string' ? `${head}${body}}\n` : Buffer.concat([Buffer.from(head), ...body, END]),
    )
    return answered
  }

  function begun(first: Exchange) {
    process_.forgetLogs()
    const late = () => (control && isLoaded ? killLate(first) : stopLate())
    // When the whole machine stood still, the process has had no time either.
    const grace = () => exchanges.limit(CHUNK_MS, late)
    exchanges.limit(first.timeoutMs, first.most === undefined ? late : grace)
  }

  /** The supervisor kills the process. If it does not, everything goes. */
  function killLate(first: Exchange) {
    first.isOverdue = true
    control!.write('\n')
    exchanges.limit(CLOSE_MS, stopLate)
  }

  function stopLate() {
    stop('timeout', tooLate(exchanges.first()!))
  }

  channel.on('data', (chunk: Buffer) => {
    if (end) return
    const violation = reader.push(chunk, take)
    if (violation === 'output-limit')
      stop('output-limit', `the output is larger than ${limits.output_kb} KiB`)
    else if (violation) stop('protocol', `the program broke the frame protocol: ${violation}`)
  })

  function take(frame: Frame) {
    if (!frame.ok && frame.kind === 'sandbox-unavailable' && !exchanges.first()?.isLoad)
      stop('protocol', 'the program broke the frame protocol: bad-frame')
    else if (!frame.ok && frame.kind === 'killed' && process_.isOutOfMemory())
      exchanges.settle({ ok: false, ...OUT_OF_MEMORY })
    else exchanges.settle(frame)
  }

  /** The process that ran the program is no more, and its supervisor waits. */
  function hear(news: News | undefined) {
    if (end) return
    if (!news) return stop('protocol', 'the supervisor of the program was not understood')
    if (tell) return tell(news)
    // A program that cannot be loaded is not tried again and again: the supervisor ends as its child did.
    if (!isLoaded) return void control!.end()
    renewAfter(news)
  }

  /** From here on calls wait for the next process. */
  function renewAfter(news: News | Promise<News>) {
    isLoaded = false
    const late = () => stop('killed', `its process was not replaced within ${limits.load_ms} ms`)
    ready = replace(news, exchanges.addNext(loading, late))
    ready.catch(() => {})
  }

  async function replace(
    told: News | Promise<News>,
    answered: Promise<Answered>,
  ): Promise<Failure | undefined> {
    const news = await Promise.race([told, answered])
    tell = undefined
    if (end || 'answer' in news) return { ...end!, latencyMs: 0 }
    const mark = randomUUID()
    const handOver = () => exchanges.handOver({ ok: false, ...reasonOf(news) }, news.at)
    reader.skipTo(mark, () => {
      reader.expect(mark)
      // At once: what follows the mark is of the next process.
      handOver()
    })
    const admission = await admit(handOver)
    if (admission?.folder !== folder) {
      // It was put there anew: only a new process sees it.
      handOver()
      stop('killed', 'its folder is another one now')
    }
    if (!end) {
      channel.write(`\n${mark}\n`)
      control!.write(`${mark}\n`)
    }
    return finishLoading(answered, admission)
  }

  function reasonOf({ status, ms }: News): End {
    const first = exchanges.first()
    const reason = process_.explain(status, null, true)
    // It may have ended in another way meanwhile, or come to an input that is not late.
    const isLate =
      first?.isOverdue && status === KILLED && (first.most === undefined || ms >= first.timeoutMs)
    return isLate ? { kind: 'timeout', message: tooLate(first) } : reason
  }

  /** The first reason is the one that counts; what the process says while it dies does not. */
  function stop(kind: FailureKind, message: string) {
    end ??= { kind, message }
    process_.kill()
    exchanges.end({ ok: false, ...end })
  }

  return {
    get ready() {
      return ready
    },
    async call(input, timeoutMs) {
      if (!isLoaded) await ready.catch(() => {})
      calls++
      return toReply(await ask(`"in":${input}`, { timeoutMs }))
    },
    async callMany(inputs, count, timeoutMs) {
      if (!isLoaded) await ready.catch(() => {})
      calls += count
      return toReplies(await ask([INPUTS, inputs], { timeoutMs, most: count }), count)
    },
    calls: () => calls,
    renew() {
      if (!control || end) return false
      if (!isLoaded || calls === 0) return true
      control.write('\n')
      renewAfter(
        new Promise(resolve => {
          tell = resolve
        }),
      )
      return true
    },
    ageMs: () => performance.now() - startedAt,
    isAlive: () => end === undefined,
    close() {
      stop('killed', 'the worker was closed')
      return process_.gone()
    },
  }
}

const INPUTS = Buffer.from('"ins":')
const END = Buffer.from('}\n')

function tooLate({ timeoutMs }: Request): string {
  return `no answer within ${timeoutMs} ms`
}

function toReply({ answer, elapsedMs: latencyMs }: Answered): Reply {
  if (!answer.ok) return { kind: answer.kind, message: answer.message, latencyMs }
  return { kind: 'ok', value: 'out' in answer ? answer.out : undefined, latencyMs }
}

function toReplies({ answer, elapsedMs, isReached, at }: Answered, count: number): Reply[] | ChunkFailure {
  if (answer.ok) return 'outs' in answer ? apportion(answer, elapsedMs) : []
  if (!isReached) return []
  const isKnown = at !== undefined && at >= 0 && at < count
  return { kind: answer.kind, message: answer.message, latencyMs: elapsedMs, ...(isKnown && { at }) }
}

/** Nobody knows what each input took: all took the same. */
function apportion({ outs, bad }: Extract<Frame, { outs: unknown[] }>, elapsedMs: number): Reply[] {
  const latencyMs = elapsedMs / outs.length
  const replies = outs.map((value): Reply => ({ kind: 'ok', value, latencyMs }))
  for (const [place, kind, message] of bad) replies[place] = { kind, message, latencyMs }
  return replies
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
