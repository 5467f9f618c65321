import { findChangedNumbers, WRITE_AS_STRING } from '../domain/numbers.ts'
import type { Line } from '../store/lines.ts'
import { decodeUtf8 } from '../store/text.ts'
import type { ExecutionReply, Executor } from './executor.ts'

/** What became of one line; `index` counts the lines of the input from 0. */
export type LineResult = { index: number } & (
  | { reply: ExecutionReply }
  /** The line is not JSON: nothing was run, and nothing recorded. */
  | { error: { kind: 'invalid_input'; message: string } }
)

export interface LinesOptions {
  /** Batches that are worked on at the same time. */
  concurrency: number
  /** Lines at the beginning that are left out. */
  skip: number
  failFast: boolean
  signal: AbortSignal
}

export interface LineCounts {
  lines: number
  succeeded: number
  failed: number
}

/**
 * Runs every line of a stream, as they come, and hands the results on in order. Memory stays constant: when `emit` is slow, reading waits.
 * A line that fails has its error in its place. When it stops early, what was handed on is what was recorded.
 */
export async function executeLines(
  executor: Executor,
  batches: AsyncIterable<Line[]>,
  { concurrency, skip, failFast, signal }: LinesOptions,
  emit: (results: LineResult[], counts: LineCounts) => Promise<void>,
): Promise<LineCounts> {
  const counts = { lines: 0, succeeded: 0, failed: 0 }
  const inWork: Promise<void>[] = []
  let most = FIRST_LINES
  let isStopped = false
  let done = Promise.resolve()
  const finish = async (running: Promise<LineResult[]>, before: Promise<void>) => {
    const since = performance.now()
    const results = await running
    most = nextSize(most, performance.now() - since)
    await before
    if (isStopped) return
    const end = failFast ? results.findIndex(isFailure) : -1
    isStopped = end >= 0
    const handed = isStopped ? results.slice(0, end + 1) : results
    const failed = handed.filter(isFailure).length
    counts.lines += handed.length
    counts.failed += failed
    counts.succeeded += handed.length - failed
    await emit(handed, counts)
  }
  try {
    for await (const batch of batches) {
      if (isStopped || signal.aborted) break
      const lines = batch.filter(line => line.number > skip && !isBlank(line))
      for (let from = 0, to = 0; from < lines.length && !isStopped && !signal.aborted; from = to) {
        to = Math.min(lines.length, from + most)
        done = finish(executeBatch(executor, lines.slice(from, to)), done)
        done.catch(() => {})
        inWork.push(done)
        if (inWork.length > concurrency) await inWork.shift()
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  await done
  signal.throwIfAborted()
  return counts
}

/** Lines that are answered, recorded and handed on together: as many as take a moment, so that little is lost when everything ends. */
const FIRST_LINES = 8
const MOST_LINES = 8192
const MOMENT_MS = 250

function nextSize(most: number, tookMs: number): number {
  if (tookMs < MOMENT_MS) return Math.min(MOST_LINES, 2 * most)
  return tookMs > 2 * MOMENT_MS ? Math.max(1, most >> 1) : most
}

export function isFailure(result: LineResult): boolean {
  return 'error' in result || result.reply.status !== 'success'
}

async function executeBatch(executor: Executor, lines: Line[]): Promise<LineResult[]> {
  const parsed = lines.map(parse)
  const replies = await executor.executeMany(parsed.flatMap(line => ('input' in line ? [line.input] : [])))
  let next = 0
  return parsed.map((line, i) => {
    const index = lines[i]!.number - 1
    return 'input' in line ? { index, reply: replies[next++]! } : { index, error: line.error }
  })
}

type Parsed = { input: unknown } | { error: { kind: 'invalid_input'; message: string } }

function parse({ bytes, number }: Line): Parsed {
  const refuse = (message: string): Parsed => ({ error: { kind: 'invalid_input', message } })
  if (!bytes) return refuse('the line is longer than 64 MB')
  try {
    const text = decodeUtf8(bytes, `line ${number}`)
    const input: unknown = JSON.parse(text)
    const [changed] = findChangedNumbers(text)
    return changed ? refuse(`${changed.message}; ${WRITE_AS_STRING}`) : { input }
  } catch (error) {
    return refuse(`not JSON: ${(error as Error).message}`)
  }
}

function isBlank({ bytes }: Line): boolean {
  return bytes !== undefined && bytes.length === 0
}
