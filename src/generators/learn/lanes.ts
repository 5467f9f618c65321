import type { Target } from './targets.ts'

/** One score that a model gives: positive for the label at `positive`, or near a value (in units of the target's spread). */
export type Lane = { label: Int32Array; positive: number } | { value: Float32Array }

/** Lanes of one target, from the first up to the one before `to`. */
export interface Span {
  from: number
  to: number
}

/** One lane a label, a single one for the second of two labels, and one for a number. */
export function lanesOf(targets: Target[]): { lanes: Lane[]; spans: Span[] } {
  const lanes: Lane[] = []
  const spans = targets.map(target => {
    const from = lanes.length
    lanes.push(...lanesOfTarget(target))
    return { from, to: lanes.length }
  })
  return { lanes, spans }
}

export function lanesOfTarget(target: Target): Lane[] {
  if (target.kind === 'string') throw new TypeError('free text has no score')
  if (target.kind === 'number') {
    const { center, spread } = scaleOf(target.value)
    return [{ value: Float32Array.from(target.value, value => (value - center) / spread) }]
  }
  const { labels, label } = target
  if (labels.length === 2) return [{ label, positive: 1 }]
  return labels.map((_, positive) => ({ label, positive }))
}

/** Mean and standard deviation: numbers are learned in units of these. */
export function scaleOf(values: Float64Array): { center: number; spread: number } {
  let sum = 0
  for (const value of values) sum += value
  const center = Number((sum / values.length).toPrecision(9))
  let squares = 0
  for (const value of values) squares += (value - center) * (value - center)
  const spread = Number(Math.sqrt(squares / values.length).toPrecision(9))
  return { center, spread: spread > 0 ? spread : 1 }
}

/** Scores of one target out of those of all: one row a row. */
export function scoresOfSpan(scores: Float32Array, lanes: number, { from, to }: Span): Float32Array {
  const width = to - from
  const rows = scores.length / lanes
  const own = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    own.set(scores.subarray(row * lanes + from, row * lanes + to), row * width)
  }
  return own
}
