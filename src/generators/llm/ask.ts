import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../../domain/errors.ts'
import { isObject } from '../../domain/json.ts'
import type { Endpoint } from './endpoint.ts'
import type { Prompt } from './prompt.ts'
import { type Answer, anthropicMessages, chatCompletions } from './protocols.ts'

export interface AskOptions {
  signal: AbortSignal
  strict: boolean
  /** Told when it waits. */
  onWait: (seconds: number, why: string) => void
}

/** Tries of one question, and the longest that a server may make us wait between them. */
const TRIES = 4
const MOST_WAIT_MS = 60_000
/** A server that is overloaded or broken for the moment. */
const PASSING = new Set([408, 409, 429, 500, 502, 503, 504, 529])
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/** Puts one question to a model. Waits where the server asks for it. What cannot be mended by waiting is a `LoopaiError` that never holds the key. */
export async function ask(endpoint: Endpoint, prompt: Prompt, options: AskOptions): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const { answer, problem, waitMs } = await tryOnce(endpoint, prompt, options)
    options.signal.throwIfAborted()
    if (answer) return answer
    if (waitMs === undefined || attempt === TRIES) throw problem
    const pause = waitMs ?? 1000 * 2 ** (attempt - 1)
    if (pause > MOST_WAIT_MS) throw problem
    options.onWait(Math.ceil(pause / 1000), problem.message)
    await sleep(pause, undefined, { signal: options.signal })
  }
}

type Try =
  | { answer: Answer; problem?: undefined; waitMs?: undefined }
  /** `waitMs`: try again, after so long when the server said it; undefined: it is no use. */
  | { answer?: undefined; problem: LoopaiError; waitMs: number | null | undefined }

async function tryOnce(endpoint: Endpoint, prompt: Prompt, { signal, strict }: AskOptions): Promise<Try> {
  const protocol = endpoint.provider === 'anthropic' ? anthropicMessages : chatCompletions
  const limit = AbortSignal.timeout(endpoint.timeoutMs)
  try {
    const response = await fetch(`${endpoint.url}${protocol.path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...protocol.headers(endpoint) },
      body: JSON.stringify(protocol.body(endpoint, prompt, strict)),
      signal: AbortSignal.any([signal, limit]),
      // A key goes to the server that it is meant for, and nowhere from there.
      redirect: 'error',
    })
    const text = await readBounded(response)
    if (response.ok) return { answer: protocol.read(parse(text, endpoint)) }
    const problem = explainStatus(endpoint, response.status, text)
    return { problem, waitMs: PASSING.has(response.status) ? retryAfter(response) : undefined }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (cause instanceof LoopaiError) return { problem: cause, waitMs: undefined }
    if (limit.aborted) {
      const problem = failed(endpoint, `gave no answer within ${endpoint.timeoutMs / 1000} s`, {
        hint: 'raise generator.timeout_seconds in config.yaml, or name a faster model',
      })
      return { problem, waitMs: undefined }
    }
    return { problem: explainUnreachable(endpoint, cause), waitMs: undefined }
  }
}

/** Milliseconds that the server asks to wait, or null when it does not say. */
function retryAfter({ headers }: Response): number | null {
  const said = headers.get('retry-after')
  if (said === null) return null
  const seconds = Number(said)
  if (Number.isFinite(seconds)) return Math.max(0, 1000 * seconds)
  const moment = Date.parse(said)
  return Number.isNaN(moment) ? null : Math.max(0, moment - Date.now())
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new LoopaiError('GENERATOR_FAILED', 'the answer is larger than 8 MB')
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string, endpoint: Endpoint): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Said below.
  }
  throw failed(endpoint, `does not speak the protocol: ${quote(endpoint, text)}`, {
    hint: 'check generator.provider and generator.base_url in config.yaml',
  })
}

function explainStatus(endpoint: Endpoint, status: number, text: string): LoopaiError {
  const said = quote(endpoint, messageIn(text))
  const details = { status }
  if (status === 401 || status === 403) {
    return failed(endpoint, `${endpoint.key ? 'refused the key' : 'wants a key'} (${status}): ${said}`, {
      hint: endpoint.key
        ? 'check OPENAI_API_KEY, ANTHROPIC_API_KEY or (for other servers) LOOPAI_API_KEY in the environment'
        : 'it was sent none: set LOOPAI_API_KEY, and agree to this server with: loopai trust',
      details,
    })
  }
  if (status === 404) {
    return failed(endpoint, `knows no ${endpoint.model}: ${said}`, {
      hint: 'check generator.model and generator.base_url in config.yaml',
      details,
    })
  }
  if (status === 429)
    return failed(endpoint, `is being asked too often (429): ${said}`, { hint: 'try again later', details })
  return failed(endpoint, `answered ${status}: ${said}`, { details })
}

function explainUnreachable(endpoint: Endpoint, cause: unknown): LoopaiError {
  const inner = (cause as Error).cause as NodeJS.ErrnoException | undefined
  const reason = inner?.code ?? inner?.message ?? (cause as Error).message
  const hint =
    endpoint.provider === 'ollama'
      ? 'start it with: ollama serve'
      : 'check generator.base_url and the network'
  return failed(endpoint, `cannot be reached (${quote(endpoint, reason)})`, { hint })
}

function failed(
  { url }: Endpoint,
  what: string,
  options: { hint?: string; details?: Record<string, unknown> },
): LoopaiError {
  return new LoopaiError('GENERATOR_FAILED', `${url} ${what}`, options)
}

/** The sentence in an error, wherever the server puts it. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown }
    if (typeof error === 'string') return error
    if (isObject(error) && typeof error.message === 'string') return error.message
  } catch {
    // It is no JSON: as it is.
  }
  return text
}

/** What others say, for a message: one line, not too long, and without the key, which a server may have sent back. */
export function quote({ key }: Pick<Endpoint, 'key'>, text: string): string {
  const line = (key === undefined ? text : text.replaceAll(key, '***')).trim().replace(/\s+/g, ' ')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
