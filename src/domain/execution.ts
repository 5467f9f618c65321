import { isObject, type Json } from './json.ts'
import type { FailureKind, Reply } from './outcome.ts'
import type { Problem } from './problems.ts'

export type ErrorKind = 'invalid_input' | 'program_error' | 'resource_limit' | 'invalid_output' | 'timeout'

/** What went wrong with one execution. `pointers` are JSON pointers into an input that does not fit. */
export interface ExecutionError {
  kind: ErrorKind
  message: string
  pointers?: string[]
}

/** How an execution ended, for the caller and for the record. */
export type Outcome =
  | { status: 'success'; output: Json; confidence?: number; reason?: string; latency_ms: number }
  | { status: 'error' | 'timeout'; error: ExecutionError; latency_ms: number }

export type Source = 'cli' | 'batch' | 'http' | 'canary' | 'shadow'

/** One line of `datasets/executions/<UTC date>.jsonl`. */
export interface Execution {
  execution_id: string
  timestamp: string
  loop_app_id: string
  version: number
  digest: string
  input?: Json | undefined
  output?: Json | undefined
  confidence?: number | undefined
  reason?: string | undefined
  status: 'success' | 'error' | 'timeout'
  error?: { kind: ErrorKind; message: string } | undefined
  latency_ms: number
  sampled_for_validation: boolean
  sampling_probability: number
  source: Source
  sandbox: string
  client?: string | undefined
}

type Judge = (value: unknown) => Problem[]

/** The outcome of what a worker replied. `judge` says what keeps a value from being an output. */
export function outcomeOf(reply: Reply, judge: Judge): Outcome {
  const latency_ms = milliseconds(reply.latencyMs)
  if (reply.kind === 'ok') return { ...answerOf(reply.value, judge), latency_ms }
  const kind = ERROR_KINDS[reply.kind]
  const status = kind === 'timeout' ? 'timeout' : 'error'
  return { status, error: { kind, message: reply.message }, latency_ms }
}

/** The outcome of an input that does not fit: nothing runs. */
export function invalidInput(problems: Problem[]): Outcome {
  const message = problems.map(({ pointer, message }) => `${pointer || 'it'} ${message}`).join('; ')
  const pointers = problems.map(problem => problem.pointer)
  return {
    status: 'error',
    error: { kind: 'invalid_input', message: `the input does not fit: ${message}`, pointers },
    latency_ms: 0,
  }
}

/**
 * Says of an execution id whether it is in the audit sample: decided by the id alone, so that nothing can steer it. The last 48 bits of a
 * UUID version 7 are random (RFC 9562), which makes the sample uniform.
 */
export function createSampler(rate: number): (executionId: string) => boolean {
  if (rate >= 1) return () => true
  // As text of the same length, since that is what ids are.
  const limit = Math.ceil(Math.max(0, rate) * 2 ** 48)
    .toString(16)
    .padStart(12, '0')
  return executionId => executionId.slice(-12) < limit
}

/** The input without the values of the named properties, at any depth. */
export function redact(input: Json, names: string[]): Json {
  if (names.length === 0 || typeof input !== 'object' || input === null) return input
  if (Array.isArray(input)) return input.map(item => redact(item, names))
  const entries = Object.entries(input)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, names.includes(name) ? '[redacted]' : redact(value, names)]),
  )
}

const ERROR_KINDS: Record<FailureKind, ErrorKind> = {
  'bad-input': 'invalid_input',
  error: 'program_error',
  killed: 'program_error',
  noreply: 'program_error',
  'start-failed': 'program_error',
  'sandbox-unavailable': 'program_error',
  timeout: 'timeout',
  cpu: 'resource_limit',
  memory: 'resource_limit',
  'bad-output': 'invalid_output',
  'output-limit': 'invalid_output',
  'log-limit': 'invalid_output',
  protocol: 'invalid_output',
}

type Answer =
  | { status: 'success'; output: Json; confidence?: number; reason?: string }
  | { status: 'error'; error: ExecutionError }

/** What fits the output schema is the output; else an object with `result` is opened, and its result must fit. */
function answerOf(value: unknown, judge: Judge): Answer {
  const problems = judge(value)
  if (problems.length === 0) return { status: 'success', output: value as Json }
  if (!isObject(value) || !('result' in value)) return invalidOutput(value, problems)
  const { result, confidence, reason } = value
  const inner = judge(result)
  if (inner.length > 0) return invalidOutput(result, inner)
  return {
    status: 'success',
    output: result as Json,
    ...(typeof confidence === 'number' && confidence >= 0 && confidence <= 1 && { confidence }),
    ...(typeof reason === 'string' && { reason }),
  }
}

function invalidOutput(value: unknown, problems: Problem[]): Answer {
  const shown = JSON.stringify(value) ?? 'nothing'
  const got = shown.length > 200 ? `${shown.slice(0, 200)}…` : shown
  const why = problems.map(({ pointer, message }) => `${pointer || 'it'} ${message}`).join('; ')
  return {
    status: 'error',
    error: { kind: 'invalid_output', message: `the output ${got} does not fit: ${why}` },
  }
}

/** To the microsecond. */
function milliseconds(latency: number): number {
  return Math.round(latency * 1000) / 1000
}
