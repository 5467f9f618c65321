import type { End } from './end.ts'
import type { Frame } from './protocol.ts'

/** The requests that are not answered yet, in their order: the time of each begins when the one before it is answered. */
export interface Exchanges {
  first(): Exchange | undefined
  add(request: Request): Promise<Answered>
  /** What the next process will be asked first. From here on the others have no limit, and this one has its own until `handOver`. */
  addNext(request: Request, late: () => void): Promise<Answered>
  /** Calls `late` unless the first one is answered within so long. */
  limit(milliseconds: number, late: () => void): void
  /** Settles the first one. */
  settle(answer: Answer): void
  /** The process has ended at the first one, and has not come to the others. It is the next one's turn, if there is any. */
  handOver(answer: Answer, at?: number): void
  /** The same, and there is no next one. */
  end(answer: Answer): void
}

export interface Request {
  timeoutMs: number
  /** How many inputs, when it is a chunk. */
  most?: number
  isLoad?: boolean
}

export interface Exchange extends Request {
  settle: (answered: Answered) => void
  since: number
  timer?: NodeJS.Timeout
  /** The process is being killed for it. */
  isOverdue?: boolean
}

export interface Answered {
  answer: Answer
  elapsedMs: number
  /** False when the process ended before it came to this request. */
  isReached: boolean
  at?: number | undefined
}

export type Answer = Extract<Frame, { ok: true }> | ({ ok: false } & End)

/** Calls `begun` when the time of an exchange begins. */
export function createExchanges(begun: (first: Exchange) => void): Exchanges {
  let awaited: Exchange[] = []
  let next: Exchange | undefined

  function begin() {
    const [first] = awaited
    if (!first) return
    first.since = performance.now()
    begun(first)
  }

  function handOver(answer: Answer, at?: number) {
    const lost = awaited
    awaited = next ? [next] : []
    next = undefined
    for (const { timer } of [...lost, ...awaited]) clearTimeout(timer)
    begin()
    lost.forEach(({ settle, since }, place) => {
      if (place > 0) settle({ answer, elapsedMs: 0, isReached: false })
      else settle({ answer, elapsedMs: performance.now() - since, isReached: true, at })
    })
  }

  return {
    first: () => awaited[0],
    add: request =>
      new Promise(settle => {
        if (awaited.push({ ...request, settle, since: 0 }) === 1) begin()
      }),
    addNext: (request, late) =>
      new Promise(settle => {
        clearTimeout(awaited[0]?.timer)
        next = { ...request, settle, since: 0, timer: setTimeout(late, request.timeoutMs) }
      }),
    limit(milliseconds, late) {
      const [first] = awaited
      if (!first || next) return
      first.timer = setTimeout(() => {
        // When this process was busy for long, the answer may be there already, unread: only after reading it is the time up.
        setImmediate(() => awaited[0] === first && !next && late())
      }, milliseconds)
    },
    settle(answer) {
      const first = awaited.shift()
      if (!first) return
      clearTimeout(first.timer)
      begin()
      first.settle({ answer, elapsedMs: performance.now() - first.since, isReached: true })
    },
    handOver,
    end(answer) {
      if (next) awaited.push(next)
      next = undefined
      handOver(answer)
    },
  }
}
