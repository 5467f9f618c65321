import type { ExecutionReply } from '../actions/executor.ts'
import type { Held, LiveApp } from '../actions/live-app.ts'
import { LoopaiError } from '../domain/errors.ts'
import { isObject } from '../domain/json.ts'
import { type Line, readLineBatches } from '../store/lines.ts'
import { objectOf, parseJson, readObject, requireType } from './body.ts'
import { type Answer, type Call, json } from './exchange.ts'
import { ENVELOPE_BYTES, flag, wholeNumber } from './execute.ts'
import type { Service } from './service.ts'

const PROPERTIES = ['items', 'max_concurrency', 'stop_on_first_error'] as const
const MAX_BATCH_BYTES = 32 * 1024 * 1024
const MAX_CONCURRENCY = 256
const CONCURRENCY = 32
const NDJSON = 'application/x-ndjson'

/** One item of a batch, or why it is none. */
type Item = { id: unknown; input: unknown } | { id: unknown; problem: string }

interface Limits {
  concurrency: number
  stopOnFirstError: boolean
  /** Then the rest is not run. */
  isGone: () => boolean
}

/** `POST /loop-apps/{id}/execute-batch`: a document with all items, or a stream of lines of any length. */
export async function executeBatch(service: Service, call: Call, [id]: string[]): Promise<Answer> {
  const live = await service.apps.get(id!)
  if (requireType(call, ['application/json', NDJSON]) === NDJSON) return executeStream(service, live, call)
  const body = await readObject(call, MAX_BATCH_BYTES, PROPERTIES)
  const limits = limitsOf(call, body.max_concurrency, body.stop_on_first_error)
  const items = itemsOf(body.items)
  // All of it is answered by the version that is active when it begins.
  const held = await live.hold()
  try {
    const results = await runItems(service, held, items, limits)
    return json({ loop_app_id: id, ...countsOf(results), results })
  } finally {
    held.release()
  }
}

async function executeStream(service: Service, live: LiveApp, call: Call): Promise<Answer> {
  const query = call.query()
  const limits = limitsOf(
    call,
    query.has('max_concurrency') ? Number(query.get('max_concurrency')) : undefined,
    query.get('stop_on_first_error') === 'true',
  )
  // Refuses before the answer begins.
  ;(await live.hold()).release()
  return { status: 200, headers: { 'Content-Type': NDJSON }, body: answers(service, live, call, limits) }
}

/** Reads on only when what was answered has been taken. A promotion on the way is followed. */
async function* answers(service: Service, live: LiveApp, call: Call, limits: Limits): AsyncGenerator<string> {
  try {
    for await (const lines of readLineBatches(call.stream(), live.maxInputBytes() + ENVELOPE_BYTES)) {
      const items = lines.filter(line => line.bytes?.length !== 0).map(itemOfLine)
      for (let from = 0; from < items.length; from += MAX_CONCURRENCY) {
        const held = await live.hold()
        try {
          const results = await runItems(service, held, items.slice(from, from + MAX_CONCURRENCY), limits)
          const isOver = limits.stopOnFirstError && results.some(isFailure)
          const said = isOver ? results.slice(0, results.findIndex(isFailure) + 1) : results
          if (said.length > 0) yield said.map(result => `${JSON.stringify(result)}\n`).join('')
          if (isOver) return
        } finally {
          held.release()
        }
      }
    }
  } catch (error) {
    // The head of the answer is out: only a last line can tell.
    if (!(error instanceof LoopaiError)) throw error
    yield `${JSON.stringify({ id: null, status: 'error', error: { kind: error.code, message: error.message } })}\n`
  }
}

type Result = { id: unknown } & (
  | Omit<ExecutionReply, 'loop_app_id' | 'recorded'>
  | { status: 'error'; error: { kind: string; message: string } }
  | { status: 'skipped' }
)

async function runItems(service: Service, held: Held, items: Item[], limits: Limits): Promise<Result[]> {
  const results: Result[] = items.map(({ id }) => ({ id, status: 'skipped' }))
  let next = 0
  let isStopped = false
  const lane = async () => {
    while (next < items.length && !isStopped && !limits.isGone()) {
      const place = next++
      const result = await runItem(service, held, items[place]!)
      results[place] = result
      if (limits.stopOnFirstError && isFailure(result)) isStopped = true
    }
  }
  await Promise.all(Array.from({ length: Math.min(limits.concurrency, items.length) }, lane))
  return results
}

async function runItem(service: Service, held: Held, item: Item): Promise<Result> {
  const { id } = item
  if ('problem' in item)
    return { id, status: 'error', error: { kind: 'invalid_input', message: item.problem } }
  const reply = await held.execute(item.input)
  service.metrics.observeExecution(reply)
  const { loop_app_id: _app, recorded: _recorded, ...rest } = reply
  return { id, ...rest }
}

function isFailure(result: Result): boolean {
  return result.status === 'error' || result.status === 'timeout'
}

function countsOf(results: Result[]) {
  const failed = results.filter(isFailure).length
  const skipped = results.filter(result => result.status === 'skipped').length
  return { total: results.length, succeeded: results.length - failed - skipped, failed, skipped }
}

function limitsOf({ isGone }: Call, concurrency: unknown, stop: unknown): Limits {
  return {
    concurrency: wholeNumber('max_concurrency', concurrency, MAX_CONCURRENCY) ?? CONCURRENCY,
    stopOnFirstError: flag('stop_on_first_error', stop) ?? false,
    isGone,
  }
}

function itemsOf(value: unknown): Item[] {
  if (!Array.isArray(value)) throw new LoopaiError('MISSING_VALUE', 'the body has no list of items')
  return value.map((item, index) => {
    if (!isObject(item) || !('input' in item)) {
      throw new LoopaiError('USAGE', `items[${index}] is not an object with an input`)
    }
    const { id = index, input } = objectOf(item, ['id', 'input'])
    return { id, input }
  })
}

function itemOfLine({ bytes, number }: Line): Item {
  const id = number - 1
  if (!bytes) return { id, problem: 'the line is too long' }
  try {
    const body = objectOf(parseJson(bytes), ['id', 'input'])
    return 'input' in body
      ? { id: body.id ?? id, input: body.input }
      : { id, problem: 'the line has no input' }
  } catch (error) {
    if (!(error instanceof LoopaiError)) throw error
    return { id, problem: error.message }
  }
}
