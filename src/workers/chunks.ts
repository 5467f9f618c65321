import type { Limits } from '../domain/launch.ts'
import type { Failure, Reply } from '../domain/outcome.ts'
import type { Crew } from './crew.ts'
import { isDeeper, MAX_DEPTH } from './protocol.ts'

interface Chunks {
  crew: Crew
  limits: Limits
  timeoutMs: number
  /** How many chunks at the same time. */
  lanes: number
  /** What an input took lately: kept from call to call. */
  pace: { perInputMs: number }
  runOne: (input: unknown) => Promise<Reply>
}

/** Long enough that sending it costs nothing beside it, short enough that nobody waits for it. */
const TARGET_MS = 10
const MAX_INPUTS = 1024
const FIRST_INPUTS = 16

/** What a range of inputs gave: replies to the first of them, or nothing that says which one is to blame. */
type Result = { replies: Reply[] } | { suspects: true } | { failure: Failure }

export async function runInChunks(inputs: unknown[], chunks: Chunks): Promise<Reply[]> {
  const { crew, limits, timeoutMs, lanes, pace, runOne } = chunks
  const replies: Reply[] = new Array(inputs.length)
  const put = (from: number, some: Reply[]) => {
    for (let index = 0; index < some.length; index++) replies[from + index] = some[index]!
  }
  let next = 0
  let most = FIRST_INPUTS
  let failure: Failure | undefined

  async function lane() {
    while (next < inputs.length) {
      const from = next
      const fair = Math.ceil(inputs.length / lanes)
      next = Math.min(
        from + Math.max(1, Math.min(TARGET_MS / pace.perInputMs, most, fair) | 0),
        inputs.length,
      )
      await runRange(from, next)
    }
  }

  /** Leaves no input of the range without a reply. */
  async function runRange(start: number, end: number) {
    let from = start
    while (from < end) {
      const result = failure ? { failure } : await send(inputs.slice(from, end))
      if ('replies' in result) {
        put(from, result.replies)
        from += result.replies.length
        most = Math.min(most * 2, MAX_INPUTS)
      } else if ('failure' in result) {
        // A program that cannot be loaded has failed for every input; a start for each would take for ever.
        failure = result.failure
        put(from, new Array(end - from).fill(failure))
        return
      } else {
        most = Math.max(FIRST_INPUTS, most >> 2)
        from = await findGuilty(from, end)
      }
    }
  }

  /** One by one up to the input that does again what the chunk did. Returns where the rest begins. */
  async function findGuilty(start: number, end: number): Promise<number> {
    for (let place = start; place < end; place++) {
      const reply = await runOne(inputs[place])
      replies[place] = reply
      if (reply.kind !== 'ok' && reply.kind !== 'error') return place + 1
    }
    return end
  }

  async function send(some: unknown[]): Promise<Result> {
    const text = JSON.stringify(some)
    const bytes = Buffer.from(text)
    // One level more for the list. Whichever input it is, alone it says so.
    if (bytes.length > limits.input_kb * 1024)
      return some.length > 1 ? sendLess(some) : { replies: [await runOne(some[0])] }
    if (isDeeper(bytes, MAX_DEPTH + 1)) return { suspects: true }
    const worker = await crew.acquire()
    if (!worker) return { failure: { kind: 'killed', message: 'the pool is closed', latencyMs: 0 } }
    try {
      const loading = await worker.ready
      const answer = loading ?? (await worker.callMany(text, some.length, timeoutMs))
      if (!Array.isArray(answer)) {
        crew.release(worker, answer.kind)
        return loading || crew.isClosed() ? { failure: answer } : { suspects: true }
      }
      crew.release(worker, answer.at(-1)!.kind)
      pace.perInputMs += (answer[0]!.latencyMs - pace.perInputMs) / 2
      return { replies: answer }
    } catch (problem) {
      crew.release(worker, 'start-failed')
      throw problem
    }
  }

  function sendLess(some: unknown[]): Promise<Result> {
    return send(some.slice(0, some.length >> 1))
  }

  await Promise.all(Array.from({ length: lanes }, lane))
  return replies
}
