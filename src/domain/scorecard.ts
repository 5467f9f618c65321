/** How many of some rows were answered right. */
export interface Score {
  right: number
  total: number
  /** `right / total`, or null when there is nothing to divide. */
  accuracy: number | null
  /** 95 % Wilson interval of the accuracy. */
  interval: [number, number] | null
}

/** What is known of a version's quality. Rows are named by `exampleKey`, cases by id or line. */
export interface Scorecard {
  version: number
  digest: string
  held_out: Score & { method: 'out_of_fold' | 'held_out' }
  cases: Score & { failed: CaseFailure[] }
  /** Verdict by row, for comparing two versions on the rows that both were judged on. */
  verdicts: Map<string, boolean>
}

/** A scorecard as people and scripts get it. */
export type ScoreReport = Omit<Scorecard, 'verdicts'>

export interface CaseFailure {
  case: string
  expected: unknown
  got?: unknown
  error?: string
}

export function reportOf({ verdicts: _, ...report }: Scorecard): ScoreReport {
  return report
}

export function scoreOf(right: number, total: number): Score {
  if (total === 0) return { right, total, accuracy: null, interval: null }
  return { right, total, accuracy: right / total, interval: wilson(right, total) }
}

/** 95 % interval of a proportion (Wilson 1927), z = 1.96. */
export function wilson(right: number, total: number): [number, number] {
  const z = 1.959964
  const p = right / total
  const middle = p + (z * z) / (2 * total)
  const spread = z * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total))
  const scale = 1 + (z * z) / total
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)]
}

/** Two versions on the rows that both were judged on. */
export interface Comparison {
  rows: number
  /** Rows that only the candidate, and only the active version, answers right. */
  gained: number
  lost: number
  /** Change in accuracy, candidate minus active, and its standard error. */
  change: number
  error: number
}

export function compare(candidate: Map<string, boolean>, active: Map<string, boolean>): Comparison {
  const shared = [...candidate].filter(([row]) => active.has(row))
  const gained = shared.filter(([row, right]) => right && !active.get(row)).length
  const lost = shared.filter(([row, right]) => !right && active.get(row)).length
  const rows = shared.length
  if (rows === 0) return { rows, gained, lost, change: 0, error: 0 }
  const change = (gained - lost) / rows
  const error = Math.sqrt(Math.max(0, (gained + lost) / rows - change * change) / rows)
  return { rows, gained, lost, change, error }
}

/** `93.5 % (88.1 to 96.6, 99 rows)` */
export function describeScore(score: Score): string {
  if (score.accuracy === null || score.interval === null) return 'nothing to judge by'
  const [low, high] = score.interval.map(percent)
  return `${percent(score.accuracy)} % (${low} to ${high}, ${score.right} of ${score.total} rows)`
}

export function percent(share: number): string {
  return (100 * share).toFixed(1)
}
