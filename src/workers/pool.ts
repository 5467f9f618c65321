import { LoopaiError } from '../domain/errors.ts'
import type { Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import { isDeeper, MAX_DEPTH } from './protocol.ts'
import { createWorker, type Worker } from './worker.ts'

/** Workers of one version of one app. */
export interface Pool {
  /** Resolves when a worker has loaded the program, with the failure when it cannot. Rejects only as the gate does. */
  ready: Promise<Failure | undefined>
  /** Runs the program on one input. What goes wrong with the program is a reply; only a bug or an input too large to send rejects. */
  run(input: unknown, options?: { timeoutMs?: number }): Promise<Reply>
  /** Kills every worker, and resolves when they are gone. Calls that are not answered yet end as `killed`. */
  close(): Promise<void>
}

export interface PoolOptions {
  launch: Launch
  limits: Limits
  /** At most this many processes at any time. */
  size?: number
  /** No worker loads the program before this resolves. When it rejects, so does every run. */
  gate?: Promise<unknown>
}

const MAX_CALLS = 10_000

/** Failures that an earlier call may have planted: a thread that lives on, a frame sent too late, memory that was kept. */
const INHERITABLE = new Set<FailureKind | 'ok'>([
  'noreply',
  'killed',
  'cpu',
  'memory',
  'protocol',
  'log-limit',
])

/** Starts its workers at once. A worker that dies is replaced; the next call never notices. */
export function createPool({ launch, limits, size = 1, gate }: PoolOptions): Pool {
  const workers = new Set<Worker>()
  const idle: Worker[] = []
  const waiting: ((worker: Worker | undefined) => void)[] = []
  let isClosed = false

  function start(): Worker {
    const worker = createWorker(launch, limits, gate)
    workers.add(worker)
    return worker
  }

  /** Resolves with a worker for one call, or with nothing when the pool is closed. */
  async function acquire(): Promise<Worker | undefined> {
    while (!isClosed) {
      const worker = idle.pop()
      if (worker?.isAlive()) return worker
      if (worker) await retire(worker)
      else if (workers.size < size) return start()
      else return new Promise(resolve => waiting.push(resolve))
    }
  }

  /** Gone before it is replaced, so that there are never more than `size`. */
  async function retire(worker: Worker) {
    await worker.close()
    workers.delete(worker)
  }

  async function release(worker: Worker, reply: Reply) {
    const isFresh = worker.isAlive() && worker.calls() < MAX_CALLS && reply.kind !== 'memory'
    if (isFresh) return offer(worker)
    await retire(worker)
    // A program that cannot be loaded is tried again when somebody asks, not for ever.
    if (!isClosed && (waiting.length > 0 || reply.kind !== 'start-failed')) offer(start())
  }

  function offer(worker: Worker) {
    const next = waiting.shift()
    if (next) next(worker)
    else idle.push(worker)
  }

  async function attempt(input: string, timeoutMs: number): Promise<{ reply: Reply; isFirst: boolean }> {
    const worker = await acquire()
    if (!worker)
      return { reply: { kind: 'killed', message: 'the pool is closed', latencyMs: 0 }, isFirst: true }
    try {
      const reply = (await worker.ready) ?? (await worker.call(input, timeoutMs))
      void release(worker, reply)
      return { reply, isFirst: worker.calls() <= 1 }
    } catch (problem) {
      void release(worker, { kind: 'start-failed', message: String(problem), latencyMs: 0 })
      throw problem
    }
  }

  for (let count = 0; count < size; count++) idle.push(start())

  return {
    ready: idle.at(-1)!.ready,

    async run(input, { timeoutMs = limits.timeout_ms } = {}) {
      const text = JSON.stringify(input)
      const bytes = Buffer.from(text)
      if (bytes.length > limits.input_kb * 1024) {
        throw new LoopaiError('INPUT_TOO_LARGE', `The input is larger than ${limits.input_kb} KiB`, {
          hint: 'raise limits.input_kb in config.yaml',
        })
      }
      if (isDeeper(bytes, MAX_DEPTH)) {
        return {
          kind: 'error',
          message: `the input is nested more than ${MAX_DEPTH} levels deep`,
          latencyMs: 0,
        }
      }
      const { reply, isFirst } = await attempt(text, timeoutMs)
      if (isFirst || isClosed || !INHERITABLE.has(reply.kind)) return reply
      // Not this call's fault, perhaps: a worker that has run nothing else decides.
      return (await attempt(text, timeoutMs)).reply
    },

    async close() {
      isClosed = true
      for (const next of waiting.splice(0)) next(undefined)
      await Promise.all([...workers].map(worker => worker.close()))
    },
  }
}
