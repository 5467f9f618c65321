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
const TOGETHER_MS = 5
const MAX_TOGETHER = 64

/**
 * A call that finds a process free goes alone and at once. Calls that come while all are busy wait together and are sent together: then
 * one message carries many, and the busier it is, the less each one costs.
 */
export function createGatherer(executor: Executor, lanes: number): Gatherer {
  const waiting: Waiting[] = []
  const isGathering = executor.version.manifest.isolation === 'shared'
  let busy = 0
  let usualMs = TOGETHER_MS

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
      usualMs += (Math.max(0.01, replies[0]!.latency_ms) - usualMs) / 8
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
        next()
      })
    },
  }
}
