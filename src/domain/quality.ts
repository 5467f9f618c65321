import canonicalize from 'canonicalize'
import type { LearnedReport } from './draft.ts'
import type { Json } from './json.ts'

/** What a version's answers to rows that it had not seen tell of it. Kept with the version, so counts only: no content of rows but labels. */
export interface Report {
  rows: number
  /** The most frequent output, and how often answering nothing else would be right. */
  majority: { output: Json; accuracy: number } | null
  /** One a label, most frequent first; empty for other outputs than labels. */
  labels: LabelScore[]
  /** Wrong answers by what was expected and what was answered, most frequent first. */
  confusion: { expected: Json; got: Json; rows: number }[]
  /** Confidence against accuracy, in bins of equal width that are not empty. */
  calibration: { confidence: number; accuracy: number; rows: number }[]
  /** For numbers: mean absolute error, the same when the mean is always answered, and the share of variance explained. */
  numbers: { mae: number; baseline_mae: number; r2: number } | null
  /** Rows that repeat another one; rows whose input has several outputs. */
  duplicates: number
  contradictions: number
  latency_ms: { p50: number; p95: number }
  bytes: number
  learned?: LearnedReport
}

export interface LabelScore {
  label: Json
  /** Rows of this label, rows that were answered with it, and rows that are both. */
  rows: number
  answered: number
  right: number
}

/** An answer to a row that the program had not seen; `got` is absent where it failed. */
export interface Answered {
  expected: Json
  got?: Json | undefined
  confidence?: number | undefined
}

/** An output with more distinct values is no label. */
const MOST_LABELS = 300
const MOST_NUMERIC_LABELS = 20
const MOST_CONFUSIONS = 100
const BINS = 10

export type Quality = Pick<Report, 'rows' | 'majority' | 'labels' | 'confusion' | 'calibration' | 'numbers'>

/** `hasAmounts` when it is known from more rows than these: few of them have few outputs. */
export function qualityOf(
  answers: Answered[],
  hasAmounts = areAmounts(answers.map(({ expected }) => expected)),
): Quality {
  const counts = countBy(answers.map(({ expected }) => expected))
  const areLabels = counts.length <= MOST_LABELS && !hasAmounts
  return {
    rows: answers.length,
    majority: counts[0] ? { output: counts[0].value, accuracy: counts[0].count / answers.length } : null,
    labels: areLabels ? labelScores(answers) : [],
    confusion: areLabels ? confusionOf(answers) : [],
    calibration: calibrationOf(answers),
    numbers: hasAmounts && answers.length > 0 ? numbersOf(answers) : null,
  }
}

/** What a version's quality is measured by: all of them are 1 at best. */
export type Metric = 'accuracy' | 'macro_f1' | 'mae' | 'r2'

/**
 * The quality as another metric than accuracy has it, or null when the report does not tell. Of `mae`, the share by which the error is
 * smaller than when the mean is always answered: like R², it has no unit.
 */
export function measure(report: Quality | undefined, metric: Metric): number | null {
  if (!report || metric === 'accuracy') return null
  if (metric === 'macro_f1') return macroF1(report.labels)
  if (!report.numbers) return null
  const { mae, baseline_mae, r2 } = report.numbers
  if (metric === 'r2') return r2
  return baseline_mae === 0 ? 0 : 1 - mae / baseline_mae
}

/** Whether outputs are numbers to come close to, rather than labels to hit. */
export function areAmounts(outputs: Json[]): boolean {
  const isNumeric = outputs.length > 0 && outputs.every(output => typeof output === 'number')
  return isNumeric && new Set(outputs).size > MOST_NUMERIC_LABELS
}

export function precision({ right, answered }: LabelScore): number | null {
  return answered === 0 ? null : right / answered
}

export function recall({ right, rows }: LabelScore): number | null {
  return rows === 0 ? null : right / rows
}

/** Mean of the labels' F1, each counting the same. Labels that only the program knows count too. */
export function macroF1(labels: LabelScore[]): number | null {
  if (labels.length === 0) return null
  const scores = labels.map(({ rows, answered, right }) => (2 * right) / (rows + answered))
  return scores.reduce((sum, score) => sum + score, 0) / labels.length
}

/** How far confidence is from accuracy, over all rows. */
export function calibrationError(bins: Report['calibration']): number | null {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0)
  if (rows === 0) return null
  return bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.confidence - bin.accuracy), 0) / rows
}

function labelScores(answers: Answered[]): LabelScore[] {
  const scores = new Map<string, LabelScore>()
  const scoreOf = (label: Json) => {
    const key = keyOf(label)
    const score = scores.get(key) ?? { label, rows: 0, answered: 0, right: 0 }
    scores.set(key, score)
    return score
  }
  for (const { expected, got } of answers) {
    const own = scoreOf(expected)
    own.rows++
    if (got === undefined) continue
    scoreOf(got).answered++
    if (keyOf(got) === keyOf(expected)) own.right++
  }
  return [...scores.values()].sort((a, b) => b.rows - a.rows || (keyOf(a.label) < keyOf(b.label) ? -1 : 1))
}

function confusionOf(answers: Answered[]): Report['confusion'] {
  const wrong = answers.filter(({ expected, got }) => got !== undefined && keyOf(got) !== keyOf(expected))
  const pairs = countBy(wrong.map(({ expected, got }) => [expected, got!]))
  return pairs.slice(0, MOST_CONFUSIONS).map(({ value, count }) => {
    const [expected, got] = value as [Json, Json]
    return { expected, got, rows: count }
  })
}

function calibrationOf(answers: Answered[]): Report['calibration'] {
  const bins = Array.from({ length: BINS }, () => ({ sum: 0, right: 0, rows: 0 }))
  for (const { expected, got, confidence } of answers) {
    if (confidence === undefined || got === undefined) continue
    const bin = bins[Math.min(BINS - 1, Math.max(0, Math.floor(confidence * BINS)))]!
    bin.sum += confidence
    bin.rows++
    if (keyOf(got) === keyOf(expected)) bin.right++
  }
  return bins
    .filter(bin => bin.rows > 0)
    .map(({ sum, right, rows }) => ({
      confidence: fourDigits(sum / rows),
      accuracy: fourDigits(right / rows),
      rows,
    }))
}

function numbersOf(answers: Answered[]): Report['numbers'] {
  const expected = answers.map(answer => answer.expected as number)
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length
  // What fails is as wrong as knowing nothing.
  const errors = answers.map(({ got }, i) => (typeof got === 'number' ? got : mean) - expected[i]!)
  const total = expected.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const left = errors.reduce((sum, error) => sum + error ** 2, 0)
  const meanSize = (values: number[]) =>
    values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length
  return {
    mae: meanSize(errors),
    baseline_mae: meanSize(expected.map(value => value - mean)),
    r2: total === 0 ? 0 : 1 - left / total,
  }
}

/** Most frequent first; among equals in the order of their text, so that the same rows give the same report. */
function countBy(values: Json[]): { value: Json; count: number }[] {
  const counts = new Map<string, { value: Json; count: number }>()
  for (const value of values) {
    const key = keyOf(value)
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { value, count: 1 })
  }
  return [...counts]
    .sort(([a, { count: x }], [b, { count: y }]) => y - x || (a < b ? -1 : 1))
    .map(([, counted]) => counted)
}

function keyOf(value: Json): string {
  return canonicalize(value)!
}

function fourDigits(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
