import type { Check } from '../domain/promotion.ts'
import { type Comparison, describeScore, percent, type ScoreReport } from '../domain/scorecard.ts'
import type { Origin } from '../domain/version.ts'
import { printable } from './errors.ts'
import type { Style } from './style.ts'

const MARKS = { pass: '✓', fail: '✗', inconclusive: '?' }
const SHOWN = 5

/** Checks, one a line. */
export function describeChecks(checks: Check[], { green, red, yellow }: Style): string[] {
  const colours = { pass: green, fail: red, inconclusive: yellow }
  return checks.map(
    ({ name, outcome, message }) => `${colours[outcome](MARKS[outcome])} ${name}: ${printable(message)}`,
  )
}

/** How good a version is: on labelled rows that it had not seen, and on the golden cases with those that are wrong. */
export function describeReport({ held_out, cases }: ScoreReport): string[] {
  const rows = held_out.total > 0 ? [`held-out accuracy ${describeScore(held_out)}`] : []
  if (cases.total === 0) return rows
  const wrong = cases.failed.slice(0, SHOWN).map(failure => {
    const got = failure.error ?? JSON.stringify(failure.got)
    return `  ${failure.case}: expected ${JSON.stringify(failure.expected)}, got ${printable(got)}`
  })
  const more = cases.failed.length > SHOWN ? [`  … and ${cases.failed.length - SHOWN} more`] : []
  return [...rows, `golden cases ${cases.right} of ${cases.total} right`, ...wrong, ...more]
}

/** Who wrote which files of a version. */
export function describeParts(parts: NonNullable<Origin['made_of']>): string {
  return parts
    .map(({ generator, files, rows, accuracy }) => {
      const from = rows === undefined ? '' : ` from ${rows} rows`
      const alone = accuracy === undefined ? '' : `, alone ${percent(accuracy)} %`
      return `${files.join(', ')} by ${generator}${from}${alone}`
    })
    .join('; ')
}

export function describeComparison({
  version,
  rows,
  gained,
  lost,
  change,
}: Comparison & { version: number }): string {
  const sign = change > 0 ? '+' : ''
  return `compared with v${version}: ${sign}${percent(change)} points on ${rows} shared rows (${gained} gained, ${lost} lost)`
}
