import { bestLabel, priorOf } from './answers.ts'
import { type Span, scaleOf } from './lanes.ts'
import type { Metric } from './problem.ts'
import type { ChoiceTarget, NumberTarget, Target } from './targets.ts'

/** Scores of all targets: one row a row. */
export interface Scored {
  scores: Float32Array
  lanes: number
  spans: Span[]
}

/** How well scores answer `rows`, from 0 to 1: the mean over the targets. */
export function qualityOf(targets: Target[], scored: Scored, rows: Int32Array, metric: Metric): number {
  if (rows.length === 0) return 0
  const sum = targets.reduce((sum, target, at) => {
    const span = scored.spans[at]!
    if (target.kind === 'number') return sum + explained(target, scored, span, rows)
    if (target.kind === 'string') return sum
    return sum + (metric === 'macro_f1' ? macroF1 : accuracy)(confusion(target, scored, span, rows))
  }, 0)
  return sum / targets.length
}

/** Rows by label (from `label * labels`) and answer. */
function confusion(
  target: ChoiceTarget,
  { scores, lanes }: Scored,
  { from, to }: Span,
  rows: Int32Array,
): Int32Array {
  const { labels, label } = target
  const prior = priorOf(target).label
  const counts = new Int32Array(labels.length * labels.length)
  for (const row of rows) {
    const own = scores.subarray(row * lanes + from, row * lanes + to)
    const answer = Number.isNaN(own[0]) ? prior : bestLabel(own)
    counts[label[row]! * labels.length + answer]!++
  }
  return counts
}

function accuracy(counts: Int32Array): number {
  const labels = Math.sqrt(counts.length)
  let all = 0
  let right = 0
  counts.forEach((count, at) => {
    all += count
    if (at % (labels + 1) === 0) right += count
  })
  return right / all
}

/** Mean over the labels that occur of 2 · right / (rows of the label + answers with it). */
export function macroF1(counts: Int32Array): number {
  const labels = Math.sqrt(counts.length)
  let sum = 0
  let used = 0
  for (let label = 0; label < labels; label++) {
    let own = 0
    let given = 0
    for (let other = 0; other < labels; other++) {
      own += counts[label * labels + other]!
      given += counts[other * labels + label]!
    }
    if (own === 0) continue
    used++
    sum += (2 * counts[label * labels + label]!) / (own + given)
  }
  return sum / used
}

/** Share of the variance that is explained; a row without a score is answered with the mean. */
function explained(
  { value }: NumberTarget,
  { scores, lanes }: Scored,
  { from }: Span,
  rows: Int32Array,
): number {
  const { center, spread } = scaleOf(value)
  let mistakes = 0
  let variance = 0
  for (const row of rows) {
    const goal = (value[row]! - center) / spread
    const score = scores[row * lanes + from]!
    const off = goal - (Number.isNaN(score) ? 0 : score)
    mistakes += off * off
    variance += goal * goal
  }
  return variance === 0 ? 0 : Math.max(0, 1 - mistakes / variance)
}
