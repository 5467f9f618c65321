import type { AskedCall, CallOptions, ExecutionReply, Executor } from './executor.ts'

/** Hands calls to an executor. Whoever makes it closes the executor. */
export interface Gatherer {
  execute(input: unknown, options?: CallOptions): Promise<ExecutionReply>
}

interface Waiting extends AskedCall {
  resolve: (reply: ExecutionReply) => void
  reject: (problem: unknown) => void
}

/** Calls travel together as long as all of them take no longer than this: nobody should wait for others. */
const TOGETHER_MS = 10
const MAX_TOGETHER = 64

/**
 * Calls that come in one turn of the event loop, or while all processes are busy, are sent together: one message carries many, and the
 * busier it is, the less each one costs.
 */
export function createGatherer(executor: Executor, lanes: number): Gatherer {
  const waiting: Waiting[] = []
  const isGathering = executor.version.manifest.isolation === 'shared'
  let busy = 0
  let isDue = false
  let usualMs = TOGETHER_MS

  function nextTurn() {
    if (isDue || busy >= lanes) return
    isDue = true
    setImmediate(() => {
      isDue = false
      next()
    })
  }

  function next() {
    while (busy < lanes && waiting.length > 0) void send(waiting.splice(0, howMany()))
  }

  function howMany(): number {
    return Math.max(1, Math.min(MAX_TOGETHER, Math.floor(TOGETHER_MS / usualMs)))
  }

  async function send(calls: Waiting[]) {
    busy++
    try {
      const replies = await executor.executeAll(calls)
      for (let place = 0; place < calls.length; place++) calls[place]!.resolve(replies[place]!)
      const took = Math.max(0.01, replies[0]!.latency_ms)
      // A process that had to wait for the processor looks slow: what it can do counts more than what it did once.
      usualMs += (took - usualMs) / (took < usualMs ? 4 : 64)
    } catch (problem) {
      for (const call of calls) call.reject(problem)
    }
    busy--
    next()
  }

  return {
    execute(input, options = {}) {
      // A time limit of its own would be one for those that travel with it.
      if (!isGathering || options.timeoutMs !== undefined) return executor.execute(input, options)
      return new Promise((resolve, reject) => {
        waiting.push({ input, options, resolve, reject })
        nextTurn()
      })
    },
  }
}
