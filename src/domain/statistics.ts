import type { Execution } from './execution.ts'

/** What a set of executions comes to. */
export interface Statistics {
  total_executions: number
  successful_executions: number
  failed_executions: number
  success_rate: number | null
  sampled_count: number
  avg_latency_ms: number | null
  p50_latency_ms: number | null
  p95_latency_ms: number | null
  p99_latency_ms: number | null
  by_version: Record<string, number>
  by_output: Record<string, number>
  by_error: Record<string, number>
}

export interface Tally {
  add(execution: Execution): void
  result(): Statistics
}

const MAX_OUTPUTS = 100
const OTHER = '(other)'

/** Counts executions one by one, in memory that does not grow with their number beyond 8 bytes each. */
export function createTally(): Tally {
  const latencies: number[] = []
  const count = { success: 0, sampled: 0 }
  const versions = new Map<string, number>()
  const outputs = new Map<string, number>()
  const errors = new Map<string, number>()
  return {
    add(execution) {
      latencies.push(execution.latency_ms)
      increment(versions, `v${execution.version}`)
      if (execution.sampled_for_validation) count.sampled++
      if (execution.status === 'success') count.success++
      else increment(errors, execution.error?.kind ?? 'unknown')
      const label = labelOf(execution)
      if (label !== undefined)
        increment(outputs, outputs.has(label) || outputs.size < MAX_OUTPUTS ? label : OTHER)
    },
    result() {
      const total = latencies.length
      const sorted = latencies.sort((a, b) => a - b)
      return {
        total_executions: total,
        successful_executions: count.success,
        failed_executions: total - count.success,
        success_rate: total === 0 ? null : round(count.success / total, 4),
        sampled_count: count.sampled,
        avg_latency_ms: total === 0 ? null : round(sorted.reduce((sum, one) => sum + one, 0) / total, 3),
        p50_latency_ms: quantile(sorted, 0.5),
        p95_latency_ms: quantile(sorted, 0.95),
        p99_latency_ms: quantile(sorted, 0.99),
        by_version: Object.fromEntries(versions),
        by_output: Object.fromEntries(outputs),
        by_error: Object.fromEntries(errors),
      }
    },
  }
}

/** Outputs that can be counted: labels, flags and nothing longer. */
function labelOf({ output }: Execution): string | undefined {
  if (typeof output === 'string') return output.length <= 64 ? output : OTHER
  return typeof output === 'boolean' || output === null ? String(output) : undefined
}

function increment(counts: Map<string, number>, key: string) {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function quantile(sorted: number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
