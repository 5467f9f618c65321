import { isDeepStrictEqual } from 'node:util'
import type { Execution } from './execution.ts'
import type { Json } from './json.ts'

/** One line of `datasets/validations/sampled.jsonl`: whether an output was right. The last line for an execution counts. */
export interface Validation {
  execution_id: string
  version: number
  output: Json | null
  expected: Json
  /** Null when the output was not kept. */
  match: boolean | null
  score: number | null
  comparison: 'exact'
  oracle: { kind: string; name: string; model?: string; cost_usd?: number; latency_ms?: number; by?: string }
  validated_at: string
  comment?: string
}

interface Truth {
  expected: Json
  /** Who says so. */
  by: string
  at: Date
  comment?: string | undefined
}

/** What a consumer has learned about an answer that it got. */
export function validationOf(execution: Execution, { expected, by, at, comment }: Truth): Validation {
  const { output } = execution
  const match = execution.status === 'success' && output === undefined ? null : isSame(output, expected)
  return {
    execution_id: execution.execution_id,
    version: execution.version,
    output: output ?? null,
    expected,
    match,
    score: match === null ? null : Number(match),
    comparison: 'exact',
    oracle: { kind: 'feedback', name: 'feedback', by },
    validated_at: at.toISOString(),
    ...(comment !== undefined && { comment }),
  }
}

function isSame(output: Json | undefined, expected: Json): boolean {
  return output !== undefined && isDeepStrictEqual(output, expected)
}
