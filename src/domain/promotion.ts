import type { Metric } from './quality.ts'
import { type Comparison, compare, describeScore, percent, type Scorecard } from './scorecard.ts'

/** What a promotion is decided on. */
export interface PromotionRequest {
  loopAppId: string
  candidate: Scorecard
  /** The version that is active now, absent before the first promotion. */
  active?: Scorecard | undefined
  target: { metric: Metric; value: number }
  /** What the versions reached by the target's metric on rows that they had not seen; null when nothing tells, or it is the accuracy. */
  measured: { candidate: number | null; active: number | null }
  /** Share of golden cases that must be right. */
  min: number
}

export interface Check {
  name: string
  outcome: 'pass' | 'fail' | 'inconclusive'
  /** One sentence with the numbers. */
  message: string
}

/** A decision as a value: `--dry-run` prints it, history keeps its evidence. */
export interface PromotionPlan {
  loop_app_id: string
  from: number | null
  to: number
  digest: string
  /** False when the version is active already. */
  changed: boolean
  outcome: 'pass' | 'fail' | 'inconclusive'
  checks: Check[]
}

export function planPromotion(request: PromotionRequest): PromotionPlan {
  const { candidate, active } = request
  const checks = [
    casesCheck(request),
    targetCheck(request),
    ...(active ? [comparisonCheck(request, active)] : []),
  ]
  const outcomes = checks.map(check => check.outcome)
  return {
    loop_app_id: request.loopAppId,
    from: active?.version ?? null,
    to: candidate.version,
    digest: candidate.digest,
    changed: active?.version !== candidate.version,
    outcome: outcomes.includes('fail') ? 'fail' : outcomes.includes('inconclusive') ? 'inconclusive' : 'pass',
    checks,
  }
}

/** Golden cases are few and reviewed: all of them must be right, unless the user asks for less. */
function casesCheck({ candidate, min }: PromotionRequest): Check {
  const { right, total, failed, accuracy } = candidate.cases
  const name = 'golden cases'
  if (accuracy === null) return { name, outcome: 'pass', message: 'there are no golden cases' }
  const message = `${right} of ${total} golden cases are right`
  if (accuracy >= min) return { name, outcome: 'pass', message }
  const names = failed.slice(0, 5).map(failure => failure.case)
  return { name, outcome: 'fail', message: `${message}; wrong: ${names.join(', ')}` }
}

/** Fails when the held-out rows show that the target is missed: its whole interval lies below. Other metrics than accuracy have none. */
function targetCheck({ candidate, target, measured }: PromotionRequest): Check {
  const score = candidate.held_out
  const name = 'target'
  if (measured.candidate !== null) {
    const message = `held-out ${nameOf(target.metric)} ${measured.candidate.toFixed(3)}, target ${target.value}`
    return { name, outcome: measured.candidate < target.value ? 'fail' : 'pass', message }
  }
  if (score.interval === null)
    return { name, outcome: 'pass', message: 'there are no held-out examples to judge by' }
  const isMissed = score.interval[1] < target.value
  const isUnclear = !isMissed && (score.accuracy ?? 0) < target.value
  const reading = isUnclear ? ' lies within that interval' : ''
  const message = `held-out accuracy ${describeScore(score)}, target ${percent(target.value)} %${reading}`
  return { name, outcome: isMissed ? 'fail' : 'pass', message }
}

/**
 * Fails when the candidate is worse than the active version by more than one standard error on the rows that both were judged on. Amounts
 * are rarely hit, so that of them both versions' own measures are compared.
 */
function comparisonCheck({ candidate, target, measured }: PromotionRequest, active: Scorecard): Check {
  const name = `compared with v${active.version}`
  if (candidate.version === active.version)
    return { name, outcome: 'pass', message: 'it is the active version' }
  const isAmount = target.metric === 'r2' || target.metric === 'mae'
  if (isAmount && measured.candidate !== null && measured.active !== null) {
    const message = `${nameOf(target.metric)} ${measured.candidate.toFixed(3)}, that of v${active.version} ${measured.active.toFixed(3)}`
    return { name, outcome: measured.candidate < measured.active - TOLERANCE ? 'fail' : 'pass', message }
  }
  const result = compare(candidate.verdicts, active.verdicts)
  if (result.rows === 0) return { name, outcome: 'pass', message: 'no rows on which both were judged' }
  return { name, outcome: result.change < -result.error ? 'fail' : 'pass', message: describe(result) }
}

/** Two measures of amounts that differ by less are as good as equal. */
const TOLERANCE = 0.01

function nameOf(metric: Metric): string {
  return { accuracy: 'accuracy', macro_f1: 'macro-F1', mae: 'reduction of the mean error', r2: 'R²' }[metric]
}

function describe({ rows, gained, lost, change }: Comparison): string {
  const sign = change > 0 ? '+' : ''
  return `${sign}${percent(change)} points on ${rows} shared rows (${gained} gained, ${lost} lost)`
}
