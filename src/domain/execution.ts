import { createHash } from 'node:crypto'
import type { Json } from './json.ts'

export type ErrorKind = 'invalid_input' | 'program_error' | 'resource_limit' | 'invalid_output' | 'timeout'

/** How an execution ended, for the caller and for the record. */
export type Outcome =
  | { status: 'success'; output: Json; confidence?: number; reason?: string; latency_ms: number }
  | {
      status: 'error' | 'timeout'
      error: { kind: ErrorKind; message: string; pointers?: string[] }
      latency_ms: number
    }

export type Source = 'cli' | 'batch' | 'http' | 'canary' | 'shadow'

/** One line of `datasets/executions/<UTC date>.jsonl`. */
export interface Execution {
  execution_id: string
  timestamp: string
  loop_app_id: string
  version: number
  digest: string
  input?: Json
  output?: Json
  confidence?: number
  reason?: string
  status: 'success' | 'error' | 'timeout'
  error?: { kind: ErrorKind; message: string }
  latency_ms: number
  sampled_for_validation: boolean
  sampling_probability: number
  source: Source
  sandbox: string
}

/** Whether an execution is in the audit sample: uniform, decided by its id alone, so that nothing can steer it. */
export function isSampled(executionId: string, rate: number): boolean {
  const hash = createHash('sha256').update(executionId).digest()
  return hash.readUIntBE(0, 6) / 2 ** 48 < rate
}
