import { isNestedDeeper } from '../domain/json.ts'
import type { Limits } from '../domain/launch.ts'
import type { Failure, Reply } from '../domain/outcome.ts'
import type { Crew } from './crew.ts'
import { MAX_DEPTH } from './protocol.ts'
import type { ChunkFailure, Worker } from './worker.ts'

interface Chunks {
  crew: Crew
  limits: Limits
  timeoutMs: number
  /** How many workers at the same time. */
  lanes: number
  pace: Pace
  /** So long after the first worker has begun, nothing more is sent to any. */
  patienceMs: number
  runOne: (input: unknown) => Promise<Reply>
}

/** How large chunks are: kept from call to call. */
interface Pace {
  perInputMs: number
  most: number
}

/** Long enough that sending it costs nothing beside it, short enough that nobody waits for it. */
const TARGET_MS = 10
const FIRST_INPUTS = 16
const MAX_INPUTS = 2048
/** While the host reads one answer, the worker has the next chunk already. */
const IN_FLIGHT = 2
const MAX_FAILED_LOADS = 3
/** After this long, a lane makes room for whoever waits. */
const TURN_MS = 50

interface Range {
  from: number
  to: number
}

interface Chunk {
  range: Range
  bytes?: Buffer
}

export function newPace(): Pace {
  return { perInputMs: 1, most: FIRST_INPUTS }
}

/** What was not run, because there was no more time for it, has no reply. */
export async function runInChunks(inputs: unknown[], chunks: Chunks): Promise<(Reply | undefined)[]> {
  const { crew, limits, timeoutMs, lanes, pace, patienceMs, runOne } = chunks
  const replies: (Reply | undefined)[] = new Array(inputs.length).fill(undefined)
  const rest: Range[] = [{ from: 0, to: inputs.length }]
  const fair = Math.ceil(inputs.length / lanes)
  let failure: Failure | undefined
  let hasLoaded = false
  let until = Infinity
  let failedLoads = 0

  const isLate = () => performance.now() > until

  async function lane() {
    while (rest.length > 0 && !failure && !isLate()) {
      const worker = await crew.acquire()
      if (!worker) return fail({ kind: 'killed', message: 'the pool is closed', latencyMs: 0 })
      await turn(worker)
    }
  }

  /** Keeps one worker busy, and gives it back. Whatever is not answered by then is in `rest` again. */
  async function turn(worker: Worker) {
    let kind: Reply['kind'] = 'start-failed'
    let suspects: Range | undefined
    const odd: Range[] = []
    const sent: (Chunk & { answer: Promise<Reply[] | ChunkFailure> })[] = []
    try {
      const loading = await worker.ready
      if (loading) return failToLoad(loading, worker)
      hasLoaded = true
      const since = performance.now()
      until = Math.min(until, since + patienceMs)
      for (;;) {
        const isLong = crew.isWanted() && performance.now() - since > TURN_MS
        const isOver = isLong || isLate() || !worker.isAlive()
        while (!isOver && sent.length < IN_FLIGHT && rest.length > 0) {
          const chunk = encode(take())
          if (chunk.bytes) sent.push({ ...chunk, answer: send(worker, chunk) })
          else odd.push(chunk.range)
        }
        const first = sent.shift()
        if (!first) break
        const answer = await first.answer
        const last = Array.isArray(answer) ? answer.at(-1) : answer
        kind = last?.kind ?? 'noreply'
        suspects = Array.isArray(answer) ? accept(first.range, answer) : blame(first.range, answer)
        if (!suspects) continue
        // Nobody has come to them, or nobody will ask what they answered.
        for (const { range } of sent.splice(0)) rest.push(range)
        pace.most = Math.max(FIRST_INPUTS, pace.most >> 2)
        if (sizeOf(suspects) > 1 || crew.isClosed() || isLate() || !worker.renew()) break
        const verdict = await judge(worker, suspects.from)
        if (!verdict) break
        kind = verdict.kind
        suspects = undefined
      }
    } finally {
      for (const { range } of sent) rest.push(range)
      crew.release(worker, kind)
    }
    // Only now: who runs alone needs a worker too.
    for (const range of odd) await runAlone(range)
    if (!suspects) return
    if (failure || crew.isClosed()) rest.push(suspects)
    else await findGuilty(suspects)
  }

  /** The next inputs, as many as a worker answers in a moment. */
  function take(): Range {
    const range = rest.pop()!
    const size = Math.max(1, Math.floor(Math.min(TARGET_MS / pace.perInputMs, pace.most, fair)))
    const to = Math.min(range.to, range.from + size)
    if (to < range.to) rest.push({ from: to, to: range.to })
    return { from: range.from, to }
  }

  /** What can be sent of a range; the rest of it goes back. There are no bytes for a single input that cannot be sent. */
  function encode(range: Range): Chunk {
    const part = inputs.slice(range.from, range.to)
    // One level more than an input may have: the list.
    const bytes = isNestedDeeper(part, MAX_DEPTH + 1) ? undefined : Buffer.from(JSON.stringify(part))
    if (bytes && bytes.length <= limits.input_kb * 1024) return { range, bytes }
    if (sizeOf(range) === 1) return { range }
    const middle = range.from + (sizeOf(range) >> 1)
    rest.push({ from: middle, to: range.to })
    return encode({ from: range.from, to: middle })
  }

  function send(worker: Worker, { range, bytes }: Chunk) {
    return worker.callMany(bytes!, sizeOf(range), timeoutMs)
  }

  /** Returns the input that a worker must not be blamed for after it had answered others: it ran out of memory. */
  function accept({ from, to }: Range, answer: Reply[]): Range | undefined {
    for (let index = 0; index < answer.length; index++) replies[from + index] = answer[index]!
    const next = from + answer.length
    if (next < to) rest.push({ from: next, to })
    const last = answer.at(-1)
    if (!last) return
    pace.perInputMs += (last.latencyMs - pace.perInputMs) / 2
    pace.most = Math.min(pace.most * 2, MAX_INPUTS)
    if (last.kind === 'memory') return { from: next - 1, to: next }
  }

  /** What is left to be found out of a chunk during which the process has ended. What is known is in `replies`, or in `rest` again. */
  function blame({ from, to }: Range, { at, ...reason }: ChunkFailure): Range | undefined {
    if (at === undefined) return { from, to }
    const place = from + at
    if (at > 0) rest.push({ from, to: place })
    if (place + 1 < to) rest.push({ from: place + 1, to })
    if (reason.kind !== 'timeout') return { from: place, to: place + 1 }
    // As for a single call, which has had its time and is not asked again.
    replies[place] = { ...reason, latencyMs: timeoutMs }
  }

  /** Has a process that has run nothing else say what is true of an input. */
  async function judge(worker: Worker, place: number): Promise<Reply | undefined> {
    if (await worker.ready) return
    const reply = await worker.call(JSON.stringify(inputs[place]), timeoutMs)
    replies[place] = reply
    if (reply.kind === 'memory') worker.renew()
    return reply
  }

  /** One by one up to the input that does again what the chunk did. */
  async function findGuilty({ from, to }: Range) {
    for (let place = from; place < to; place++) {
      await runAlone({ from: place, to: place + 1 })
      const { kind } = replies[place]!
      const isInnocent = kind === 'ok' || kind === 'error' || kind === 'bad-output'
      if (isInnocent && !isLate()) continue
      if (place + 1 < to) rest.push({ from: place + 1, to })
      return
    }
  }

  async function runAlone({ from }: Range) {
    replies[from] = await runOne(inputs[from])
  }

  /** It fails for every input, and a start for each would take for ever; but one that has worked gets another chance. */
  function failToLoad(reason: Failure, worker: Worker) {
    failedLoads++
    hasLoaded ||= worker.calls() > 0
    if (!hasLoaded || failedLoads > MAX_FAILED_LOADS) fail(reason)
  }

  function fail(reason: Failure) {
    failure ??= reason
  }

  await Promise.all(Array.from({ length: lanes }, lane))
  for (const { from, to } of failure ? rest : []) replies.fill(failure!, from, to)
  return replies
}

function sizeOf({ from, to }: Range): number {
  return to - from
}
