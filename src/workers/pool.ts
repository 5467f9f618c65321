import { LoopaiError } from '../domain/errors.ts'
import { isNestedDeeper } from '../domain/json.ts'
import type { Failure, FailureKind, Reply } from '../domain/outcome.ts'
import { newPace, runInChunks } from './chunks.ts'
import { type CrewOptions, createCrew } from './crew.ts'
import { MAX_DEPTH } from './protocol.ts'
import type { Worker } from './worker.ts'

/** Workers of one version of one app. */
export interface Pool {
  /** Resolves when a worker has loaded the program, with the failure when it cannot. Rejects only as the gate does. */
  ready: Promise<Failure | undefined>
  /**
   * Runs the program on one input. What goes wrong with the program is a reply; only a bug, an input too large to send, or a queue that
   * is full rejects.
   */
  run(input: unknown, options?: RunOptions): Promise<Reply>
  /**
   * Runs the program on many inputs, on all workers at once, and resolves with their replies in the same order. Much faster than as many
   * `run`s: shared workers get them in chunks. When a chunk fails, the input at which it did runs again alone, so that the reply of each is
   * its own.
   * An input that is too large is a reply.
   */
  runMany(inputs: unknown[], options?: RunOptions): Promise<Reply[]>
  /** The same for so long: inputs that no worker was sent by then are not run, and have no reply. One at least is run. */
  runFor(patienceMs: number, inputs: unknown[]): Promise<(Reply | undefined)[]>
  /** Kills every worker, and resolves when they are gone. Calls that are not answered yet end as `killed`. */
  close(): Promise<void>
}

export interface RunOptions {
  /** For one input, instead of the limit that the pool was made with. */
  timeoutMs?: number
}

export type PoolOptions = CrewOptions

interface Attempt {
  reply: Reply
  /** Nobody else can be to blame for it. */
  isDecided: boolean
}

/**
 * Failures that an earlier call may have planted: a thread that lives on, a frame sent too late, memory that was kept, the end of a process that
 * could not be renewed.
 */
const INHERITABLE = new Set<FailureKind | 'ok'>([
  'start-failed',
  'noreply',
  'killed',
  'cpu',
  'memory',
  'protocol',
  'log-limit',
])

/** Starts its workers at once. A worker that dies is replaced; the next call never notices. */
export function createPool(options: PoolOptions): Pool {
  const { limits, launch, size = 1 } = options
  const crew = createCrew(options)
  const pace = newPace()

  /** What may not be this call's fault is decided by a process that has run nothing else, if the worker can be renewed. */
  async function attempt(input: string, timeoutMs: number): Promise<Attempt> {
    const worker = await crew.acquire()
    if (!worker) return { reply: CLOSED, isDecided: true }
    try {
      let last = await ask(worker, input, timeoutMs)
      if (!last.isDecided && worker.renew()) last = await ask(worker, input, timeoutMs)
      crew.release(worker, last.reply.kind)
      return last
    } catch (problem) {
      crew.release(worker, 'start-failed')
      throw problem
    }
  }

  async function ask(worker: Worker, input: string, timeoutMs: number): Promise<Attempt> {
    const failure = await worker.ready
    const isFirst = worker.calls() === 0
    const reply = failure ?? (await worker.call(input, timeoutMs))
    return { reply, isDecided: isFirst || crew.isClosed() || !INHERITABLE.has(reply.kind) }
  }

  async function runText(text: string, timeoutMs: number): Promise<Reply> {
    const { reply, isDecided } = await attempt(text, timeoutMs)
    // A worker that could not be renewed has been replaced.
    return isDecided || crew.isClosed() ? reply : (await attempt(text, timeoutMs)).reply
  }

  async function run(input: unknown, { timeoutMs = limits.timeout_ms }: RunOptions = {}): Promise<Reply> {
    if (isNestedDeeper(input, MAX_DEPTH))
      return refuse(`the input is nested more than ${MAX_DEPTH} levels deep`)
    const text = JSON.stringify(input)
    if (Buffer.byteLength(text) > limits.input_kb * 1024) {
      throw new LoopaiError('INPUT_TOO_LARGE', `The input is larger than ${limits.input_kb} KiB`, {
        hint: 'raise limits.input_kb in config.yaml',
      })
    }
    return runText(text, timeoutMs)
  }

  async function runOrRefuse(input: unknown, runOptions?: RunOptions): Promise<Reply> {
    try {
      return await run(input, runOptions)
    } catch (problem) {
      if (problem instanceof LoopaiError && problem.code === 'INPUT_TOO_LARGE') return refuse(problem.message)
      throw problem
    }
  }

  async function runSome(
    inputs: unknown[],
    patienceMs: number,
    { timeoutMs = limits.timeout_ms }: RunOptions = {},
  ): Promise<(Reply | undefined)[]> {
    const lanes = Math.min(size, inputs.length)
    const runOne = (input: unknown) => runOrRefuse(input, { timeoutMs })
    if (launch.singleUse || launch.runner.isolation === 'request')
      return runEach(inputs, lanes, patienceMs, runOne)
    return runInChunks(inputs, { crew, limits, timeoutMs, lanes, pace, patienceMs, runOne })
  }

  return {
    ready: crew.ready,
    run,
    // With time without end, all of them are run.
    runMany: (inputs, runOptions) => runSome(inputs, Infinity, runOptions) as Promise<Reply[]>,
    runFor: (patienceMs, inputs) => runSome(inputs, patienceMs),
    close: crew.close,
  }
}

const CLOSED: Failure = { kind: 'killed', message: 'the pool is closed', latencyMs: 0 }

function refuse(message: string): Failure {
  return { kind: 'bad-input', message, latencyMs: 0 }
}

async function runEach(
  inputs: unknown[],
  lanes: number,
  patienceMs: number,
  runOne: (input: unknown) => Promise<Reply>,
) {
  const replies: (Reply | undefined)[] = new Array(inputs.length).fill(undefined)
  const until = performance.now() + patienceMs
  let next = 0
  const lane = async () => {
    while (next < inputs.length && (next === 0 || performance.now() < until)) {
      const place = next++
      replies[place] = await runOne(inputs[place])
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return replies
}
