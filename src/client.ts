/**
 * Calls Loop Apps that `loopai serve` answers for. No dependency; works in Node and in browsers.
 *
 *     const spamDetector = new LoopaiClient('spam-detector-001')
 *     const { output } = await spamDetector.execute({ text: 'You have won!' })
 */
export class LoopaiClient {
  readonly loopAppId: string
  readonly #options: Required<Pick<ClientOptions, 'baseUrl' | 'timeoutMs' | 'tries'>> & ClientOptions

  constructor(loopAppId: string, options: ClientOptions = {}) {
    this.loopAppId = loopAppId
    const baseUrl = options.baseUrl ?? environment('LOOPAI_URL') ?? 'http://127.0.0.1:8080'
    this.#options = {
      token: environment('LOOPAI_TOKEN'),
      timeoutMs: 30_000,
      tries: 3,
      ...options,
      baseUrl: baseUrl.replace(/\/+$/, ''),
    }
  }

  /** Rejects with a `ValidationError` when the input does not fit, and with an `ExecutionError` when the program fails. */
  async execute<Output = unknown>(input: unknown, options: ExecuteOptions = {}): Promise<Execution<Output>> {
    const { version, timeoutMs, forceValidation, client, idempotencyKey } = options
    const body = { input, version, timeout_ms: timeoutMs, force_validation: forceValidation, client }
    const headers: Record<string, string> = idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {}
    return (await this.#post('/execute', JSON.stringify(body), headers)).json() as Promise<Execution<Output>>
  }

  /** Answers in the order of the inputs. A failure is a result like any other. */
  async executeBatch<Output = unknown>(
    inputs: unknown[],
    options: BatchOptions = {},
  ): Promise<Batch<Output>> {
    const body = {
      items: inputs.map((input, id) => ({ id, input })),
      max_concurrency: options.maxConcurrency,
      stop_on_first_error: options.stopOnFirstError,
    }
    return (await this.#post('/execute-batch', JSON.stringify(body))).json() as Promise<Batch<Output>>
  }

  /** Any number of inputs, sent and answered a few hundred at a time, in order. */
  async *stream<Output = unknown>(
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    { chunkSize = 256 }: { chunkSize?: number } = {},
  ): AsyncGenerator<BatchResult<Output>> {
    let place = 0
    let lines: string[] = []
    const send = async () => {
      const body = lines.join('')
      lines = []
      const headers = { 'Content-Type': 'application/x-ndjson' }
      const text = await (await this.#post('/execute-batch', body, headers)).text()
      return text.split('\n').filter(line => line !== '')
    }
    for await (const input of inputs) {
      lines.push(`${JSON.stringify({ id: place++, input })}\n`)
      if (lines.length < chunkSize) continue
      for (const line of await send()) yield JSON.parse(line) as BatchResult<Output>
    }
    if (lines.length === 0) return
    for (const line of await send()) yield JSON.parse(line) as BatchResult<Output>
  }

  /** Tells what the output should have been. */
  async feedback(executionId: string, expected: unknown, comment?: string): Promise<Feedback> {
    const body = JSON.stringify({ execution_id: executionId, expected, comment })
    return (await this.#post('/feedback', body)).json() as Promise<Feedback>
  }

  async health(): Promise<Health> {
    return (await this.#send('/healthz')).json() as Promise<Health>
  }

  #post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    const id = encodeURIComponent(this.loopAppId)
    return this.#send(`/loop-apps/${id}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    })
  }

  /** Tries again what may go better the next time: no connection, a full queue, a server that is not ready or was too slow. */
  async #send(path: string, init: RequestInit = {}): Promise<Response> {
    const { baseUrl, token, timeoutMs, tries, fetch: send = fetch } = this.#options
    const headers = { ...(init.headers as object), ...(token && { Authorization: `Bearer ${token}` }) }
    for (let attempt = 1; ; attempt++) {
      let problem: LoopaiError
      let wait: number | undefined
      try {
        const response = await send(baseUrl + path, {
          ...init,
          headers,
          signal: AbortSignal.timeout(timeoutMs),
        })
        if (response.ok) return response
        problem = errorOf(response.status, await readProblem(response))
        if (!RETRIED.has(response.status)) throw problem
        wait = retryAfter(response)
      } catch (error) {
        if (error instanceof LoopaiError) throw error
        problem = new ConnectionError(`${baseUrl} does not answer: ${reasonOf(error)}`, { cause: error })
      }
      if (attempt >= tries) throw problem
      await sleep(wait ?? Math.min(10_000, 500 * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2))
    }
  }
}

export interface ClientOptions {
  /** Default: `LOOPAI_URL`, else `http://127.0.0.1:8080`. */
  baseUrl?: string
  /** Default: `LOOPAI_TOKEN`. */
  token?: string | undefined
  /** For each try. */
  timeoutMs?: number
  /** How often a call is tried at most. */
  tries?: number
  fetch?: typeof fetch
}

export interface ExecuteOptions {
  /** Instead of the active version. */
  version?: number | string
  timeoutMs?: number
  forceValidation?: boolean
  /** Who asks, kept in the record. */
  client?: string
  /** Repeated within ten minutes, the call is not run again. */
  idempotencyKey?: string
}

export interface BatchOptions {
  maxConcurrency?: number
  stopOnFirstError?: boolean
}

export interface Execution<Output = unknown> {
  output: Output
  confidence?: number
  reason?: string
  execution_id: string
  loop_app_id: string
  version: number
  digest: string
  status: 'success'
  latency_ms: number
  sampled_for_validation: boolean
}

export interface BatchResult<Output = unknown> {
  id: number
  status: 'success' | 'error' | 'timeout' | 'skipped'
  output?: Output
  confidence?: number
  reason?: string
  error?: { kind: string; message: string; pointers?: string[] }
  execution_id?: string
  version?: number
}

export interface Batch<Output = unknown> {
  total: number
  succeeded: number
  failed: number
  skipped: number
  results: BatchResult<Output>[]
}

export interface Feedback {
  execution_id: string
  match: boolean | null
}

export interface Health {
  status: 'ok' | 'degraded'
}

/** Whatever the server refuses, with the code that the command line gives for it. */
export class LoopaiError extends Error {
  override name = 'LoopaiError'
  readonly status: number | undefined
  readonly code: string | undefined
  readonly problem: Problem

  constructor(message: string, { status, problem = {}, cause }: ErrorFacts = {}) {
    super(message, { cause })
    this.status = status
    this.code = problem.code
    this.problem = problem
  }
}

/** The input does not fit the schema. `pointers` are JSON pointers into it. */
export class ValidationError extends LoopaiError {
  override name = 'ValidationError'
  readonly pointers: string[]

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts)
    this.pointers = facts.problem?.pointers ?? []
  }
}

/** The program failed: it raised, was too slow, or its output does not fit. */
export class ExecutionError extends LoopaiError {
  override name = 'ExecutionError'
  readonly kind: string | undefined
  readonly executionId: string | undefined

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts)
    this.kind = facts.problem?.kind
    this.executionId = facts.problem?.execution_id
  }
}

export class NotFoundError extends LoopaiError {
  override name = 'NotFoundError'
}

export class ConnectionError extends LoopaiError {
  override name = 'ConnectionError'
}

interface ErrorFacts {
  status?: number
  problem?: Problem
  cause?: unknown
}

interface Problem {
  code?: string
  detail?: string
  hint?: string
  kind?: string
  pointers?: string[]
  execution_id?: string
}

const RETRIED = new Set([429, 502, 503, 504])
const LONGEST_WAIT_MS = 60_000

function errorOf(status: number, problem: Problem): LoopaiError {
  const message = problem.detail ?? `the server answered ${status}`
  const facts = { status, problem }
  if (status === 422) return new ValidationError(message, facts)
  if (status === 404) return new NotFoundError(message, facts)
  if (status === 500 || status === 502 || status === 504) return new ExecutionError(message, facts)
  return new LoopaiError(message, facts)
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem
  } catch {
    // A proxy on the way answers in its own words.
    return {}
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1000, LONGEST_WAIT_MS) : undefined
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message : message
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** Browsers have no environment. */
function environment(name: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string> } }).process?.env?.[name] || undefined
}
