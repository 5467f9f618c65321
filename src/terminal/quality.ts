import type { Json } from '../domain/json.ts'
import {
  calibrationError,
  type LabelScore,
  macroF1,
  precision,
  type Report,
  recall,
} from '../domain/quality.ts'
import { percent } from '../domain/scorecard.ts'
import { printable } from './errors.ts'
import { table } from './table.ts'

const MOST_LABELS = 12
const MOST_CONFUSIONS = 3

/** What a version's answers to rows that it had not seen tell, in a few lines. */
export function describeQuality(report: Report): string[] {
  const { majority, labels, numbers, calibration } = report
  if (report.rows === 0) return []
  const floor = majority && labels.length > 1
  return [
    ...(floor
      ? [`always answering ${nameOf(majority.output)} would be right in ${percent(majority.accuracy)} %`]
      : []),
    ...(numbers
      ? [
          `mean error ${numbers.mae.toPrecision(3)} (${numbers.baseline_mae.toPrecision(3)} when the mean is always answered), r2 ${numbers.r2.toFixed(3)}`,
        ]
      : []),
    ...(labels.length > 1 ? [...describeLabels(labels), ...describeConfusion(report)] : []),
    // The confidence of a number says how often it is near, not how often it is exactly right.
    ...(calibration.length > 0 && !numbers
      ? [`confidence is off by ${percent(calibrationError(calibration)!)} points on average`]
      : []),
  ]
}

export function nameOf(label: Json): string {
  return printable(typeof label === 'string' ? label : JSON.stringify(label))
}

export function share(value: number | null): string {
  return value === null ? '-' : `${percent(value)} %`
}

/** Where there are many, the worst. */
function describeLabels(labels: LabelScore[]): string[] {
  const f1 = ({ rows, answered, right }: LabelScore) => (2 * right) / (rows + answered)
  const isLong = labels.length > MOST_LABELS
  const shown = isLong ? [...labels].sort((a, b) => f1(a) - f1(b)).slice(0, MOST_LABELS) : labels
  const rows = shown.map(label => [
    `  ${nameOf(label.label)}`,
    `${label.rows}`,
    share(precision(label)),
    share(recall(label)),
  ])
  return [
    table([['  LABEL', 'ROWS', 'PRECISION', 'RECALL'], ...rows]),
    ...(isLong ? [`  … and ${labels.length - shown.length} better ones`] : []),
    `macro-F1 ${share(macroF1(labels))}`,
  ]
}

function describeConfusion({ confusion }: Report): string[] {
  const shown = confusion.slice(0, MOST_CONFUSIONS)
  if (shown.length === 0) return []
  const pairs = shown.map(({ expected, got, rows }) => `${nameOf(expected)} as ${nameOf(got)} (${rows})`)
  return [`most often mistaken: ${pairs.join(', ')}`]
}
