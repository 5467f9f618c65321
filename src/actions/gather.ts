import { LoopaiError } from '../domain/errors.ts'
import type { AskedCall, CallOptions, ExecutionReply, Executor } from './executor.ts'

/** The queue before an executor. Whoever makes it closes the executor. */
export interface Gatherer {
  /** Rejects when the call was not run: it has waited for its turn longer than it may, or nobody is there any more to take the answer. */
  execute(input: unknown, options?: QueuedOptions, maxWaitMs?: number): Promise<ExecutionReply>
}

export interface QueuedOptions extends CallOptions {
  /** Asked when its turn comes. */
  isGone?: (() => boolean) | undefined
}

interface Waiting extends AskedCall {
  options: QueuedOptions
  since: number
  maxWaitMs: number
  resolve: (reply: ExecutionReply) => void
  reject: (problem: unknown) => void
}

/** Calls travel together as long as all of them take no longer than this: nobody should wait for others. */
const TOGETHER_MS = 10
const MAX_TOGETHER = 64
/** Calls that are not with a process so long after they were sent, because others of the message are slow, go back to the queue. */
const PATIENCE_MS = 100
/** So often the queue is looked through for calls that have waited too long. */
const LOOK_MS = 100

/**
 * Calls that come in one turn of the event loop, or while all processes are busy, are sent together: one message carries many, and the
 * busier it is, the less each one costs.
 */
export function createGatherer(executor: Executor, lanes: number): Gatherer {
  let waiting: Waiting[] = []
  const isGathering = executor.version.manifest.isolation === 'shared'
  let busy = 0
  let isDue = false
  let usualMs = TOGETHER_MS
  let timer: NodeJS.Timeout | undefined

  function nextTurn() {
    if (isDue || busy >= lanes) return
    isDue = true
    setImmediate(() => {
      isDue = false
      next()
    })
  }

  function next() {
    while (busy < lanes && waiting.length > 0) {
      const calls = take().filter(isWanted)
      if (calls.length > 0) void send(calls)
    }
  }

  function take(): Waiting[] {
    const most = Math.max(1, Math.min(MAX_TOGETHER, Math.floor(TOGETHER_MS / usualMs)))
    if (!isCompanion(waiting[0]!)) return waiting.splice(0, 1)
    const alone = waiting.findIndex((call, place) => place >= most || !isCompanion(call))
    return waiting.splice(0, alone < 0 ? waiting.length : alone)
  }

  /** A time limit of its own would be one for those that travel with it. */
  function isCompanion({ options }: Waiting): boolean {
    return isGathering && options.timeoutMs === undefined
  }

  function lookLater() {
    if (timer) return
    timer = setTimeout(() => {
      timer = undefined
      waiting = waiting.filter(call => isWanted(call) && isInTime(call, executor.app.id))
      if (waiting.length > 0) lookLater()
    }, LOOK_MS).unref()
  }

  async function send(calls: Waiting[]) {
    busy++
    try {
      const [{ input, options }] = calls as [Waiting]
      const replies =
        calls.length === 1
          ? [await executor.execute(input, options)]
          : await executor.executeFor(PATIENCE_MS, calls)
      const rest: Waiting[] = []
      for (let place = 0; place < calls.length; place++) {
        const reply = replies[place]
        if (reply) calls[place]!.resolve(reply)
        else rest.push(calls[place]!)
      }
      if (rest.length > 0) {
        waiting.unshift(...rest)
        lookLater()
      }
      const took = Math.max(0.01, replies[0]?.latency_ms ?? 0)
      // A process that had to wait for the processor looks slow: what it can do counts more than what it did once.
      if (rest.length > 0) usualMs = TOGETHER_MS
      else usualMs += (took - usualMs) / (took < usualMs ? 4 : 64)
    } catch (problem) {
      for (const call of calls) call.reject(problem)
    }
    busy--
    next()
  }

  return {
    execute(input, options = {}, maxWaitMs = Infinity) {
      return new Promise((resolve, reject) => {
        waiting.push({ input, options, since: performance.now(), maxWaitMs, resolve, reject })
        nextTurn()
        lookLater()
      })
    },
  }
}

function isWanted({ options, reject }: Waiting): boolean {
  if (!options.isGone?.()) return true
  reject(new LoopaiError('INTERRUPTED', 'the client went away'))
  return false
}

function isInTime({ since, maxWaitMs, reject }: Waiting, id: string): boolean {
  const waitedMs = performance.now() - since
  if (waitedMs < maxWaitMs) return true
  const message = `the call has waited ${(waitedMs / 1000).toFixed(1)} s for a process of ${id}, and was not run`
  reject(new LoopaiError('BUSY', message, { hint: 'call again later' }))
  return false
}
