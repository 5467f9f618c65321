import { LoopaiError } from '../domain/errors.ts'
import type { Gate, Launch, Limits } from '../domain/launch.ts'
import type { Failure, FailureKind } from '../domain/outcome.ts'
import { createWorker, type Worker } from './worker.ts'

/** The living workers of one pool, and who waits for one. */
export interface Crew {
  /** As the `ready` of the worker that was started last. */
  ready: Promise<Failure | undefined>
  /** Resolves with a worker of one's own until `release`, or with nothing when the crew is closed. Rejects when too many wait. */
  acquire(): Promise<Worker | undefined>
  /** Gives it back. `kind` is how its last call ended: a worker that may be damaged is renewed or replaced. */
  release(worker: Worker, kind: FailureKind | 'ok'): void
  /** Whether somebody waits for a worker. */
  isWanted(): boolean
  isClosed(): boolean
  close(): Promise<void>
}

export interface CrewOptions {
  launch: Launch
  limits: Limits
  /** At most this many processes, 1 by default, and one more while a successor gets ready. They start at once. */
  size?: number
  /** How many calls may wait for a worker; no limit by default. One more is refused. */
  maxWaiting?: number
  /** Workers that were not used for so long are stopped, and started again when they are needed. By default they stay. */
  idleMs?: number
  /** Called for each worker, which does not load the program before this resolves. When it rejects, so do the calls that wait for it. */
  gate?: Gate
}

/** A worker that has answered so many calls is replaced, but not so often that a batch of short ones would mostly be starts. */
const MAX_CALLS = 10_000
const MIN_LIFE_MS = 10_000
/** After so many workers in a row that have failed at once, the next ones are started ever more slowly: others need the processor too. */
const FAST_STARTS = 3
const MAX_DELAY_MS = 1000

export function createCrew({ launch, limits, size = 1, maxWaiting, idleMs, gate }: CrewOptions): Crew {
  const workers = new Set<Worker>()
  const idle: Worker[] = []
  const waiting: ((worker: Worker | undefined) => void)[] = []
  const lastUse = new WeakMap<Worker, number>()
  const delays = new Set<NodeJS.Timeout>()
  /** For the next worker that is worn. Only then is it one of the workers. */
  let successor: { worker: Worker; isReady: boolean } | undefined
  let noSuccessorBefore = 0
  let fruitless = 0
  let isClosed = false

  function start(): Worker {
    const worker = createWorker(launch, limits, gate)
    workers.add(worker)
    return worker
  }

  function isWorn(worker: Worker): boolean {
    return worker.calls() >= MAX_CALLS && worker.ageMs() >= MIN_LIFE_MS
  }

  /** A worn worker goes on until another one has loaded the program, so that no call waits for a start. */
  async function prepareSuccessor() {
    if (successor || performance.now() < noSuccessorBefore) return
    const next = { worker: createWorker(launch, limits, gate), isReady: false }
    successor = next
    const failure = await next.worker.ready.catch((problem: unknown) => problem)
    if (isClosed) return
    if (failure) {
      successor = undefined
      noSuccessorBefore = performance.now() + MIN_LIFE_MS
      return next.worker.close()
    }
    next.isReady = true
    const worn = idle.find(isWorn)
    if (worn) {
      idle.splice(idle.indexOf(worn), 1)
      succeed(worn, next.worker)
    }
  }

  function succeed(worn: Worker, next: Worker) {
    successor = undefined
    workers.add(next)
    void retire(worn)
    offer(next)
  }

  async function acquire(): Promise<Worker | undefined> {
    while (!isClosed) {
      const worker = idle.pop()
      if (worker?.isAlive()) return worker
      if (worker) await retire(worker)
      else if (workers.size < size) return start()
      else return wait()
    }
  }

  async function wait(): Promise<Worker | undefined> {
    if (maxWaiting !== undefined && waiting.length >= maxWaiting) {
      throw new LoopaiError('BUSY', `${waiting.length} calls wait for a worker already`, {
        hint: 'call again later',
      })
    }
    return new Promise(resolve => waiting.push(resolve))
  }

  /** Gone before it is replaced, so that there are never more than `size`. */
  async function retire(worker: Worker) {
    await worker.close()
    workers.delete(worker)
  }

  async function replace(worker: Worker, isWanted: boolean) {
    await worker.close()
    // Meanwhile it keeps its place: nobody else starts one instead.
    if (fruitless > FAST_STARTS) await delay(Math.min(10 * 2 ** (fruitless - FAST_STARTS), MAX_DELAY_MS))
    workers.delete(worker)
    if (isClosed || workers.size >= size) return
    if (waiting.length > 0 || isWanted) offer(start())
  }

  function offer(worker: Worker) {
    const next = waiting.shift()
    if (next) return next(worker)
    if (idleMs) lastUse.set(worker, performance.now())
    idle.push(worker)
  }

  function stopIdle(before: number) {
    const isOld = (worker: Worker) => lastUse.get(worker)! < before
    for (const worker of idle.filter(isOld)) {
      idle.splice(idle.indexOf(worker), 1)
      void replace(worker, false)
    }
  }

  /** Does not end when the crew is closed meanwhile. */
  function delay(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        delays.delete(timer)
        resolve()
      }, milliseconds)
      delays.add(timer)
    })
  }

  for (let count = 0; count < size; count++) offer(start())
  const { ready } = idle.at(-1)!
  const timer = idleMs && setInterval(() => stopIdle(performance.now() - idleMs), idleMs / 2).unref()

  return {
    ready,
    acquire,
    release(worker, kind) {
      if (kind === 'ok' || kind === 'error' || kind === 'bad-output') fruitless = 0
      else if (worker.calls() <= 1) fruitless++
      const holdsMemory = kind === 'memory' && launch.runner.isolation === 'shared'
      const isSpent = launch.singleUse === true && worker.calls() > 0
      const isKept = fruitless <= FAST_STARTS && (!holdsMemory || worker.renew())
      if (!worker.isAlive() || isSpent || !isKept || isClosed) {
        // A program that cannot be loaded is tried again when somebody asks, not for ever.
        void replace(worker, kind !== 'start-failed' && !idleMs)
      } else if (successor?.isReady && isWorn(worker)) {
        succeed(worker, successor.worker)
      } else {
        if (isWorn(worker)) void prepareSuccessor()
        offer(worker)
      }
    },
    isWanted: () => waiting.length > 0,
    isClosed: () => isClosed,
    async close() {
      isClosed = true
      clearInterval(timer)
      for (const delay of delays) clearTimeout(delay)
      for (const next of waiting.splice(0)) next(undefined)
      await Promise.all([...workers, ...(successor ? [successor.worker] : [])].map(worker => worker.close()))
    },
  }
}
