import { isDeepStrictEqual } from 'node:util'
import { type Example, exampleKey, foldOf } from './example.ts'
import type { Outcome } from './execution.ts'
import type { CaseFailure, Score, Scorecard } from './scorecard.ts'
import { scoreOf } from './scorecard.ts'
import type { Evaluation } from './version.ts'

/** One of this many folds is kept from whoever writes a program by hand or by a model; it judges what they write. */
const HELD_OUT_FOLDS = 5

/** A golden case and its name in reports: its id, or `line 3`. */
export interface GoldenCase extends Example {
  name: string
}

/** True for the rows that judge a written program; its writer is not shown them. */
export function isHeldOut({ input }: Example): boolean {
  return foldOf(input, HELD_OUT_FOLDS) === 0
}

/**
 * Which examples have to be run to judge a version. A learned program keeps the verdicts of models that had not seen the row; of the rows
 * that are new since, it has seen none. A written program is judged on the held-out rows.
 */
export function rowsToRun(evaluation: Evaluation | undefined, examples: Example[]): Example[] {
  if (evaluation?.held_out.method !== 'out_of_fold') return examples.filter(isHeldOut)
  const known = new Set([...evaluation.held_out.right, ...evaluation.held_out.wrong])
  return examples.filter(example => !known.has(exampleKey(example)))
}

/** Verdict by row, of rows that were run. */
export function verdictsOf(rows: Example[], outcomes: Outcome[]): Map<string, boolean> {
  return new Map(rows.map((row, i) => [exampleKey(row), isRight(outcomes[i]!, row)]))
}

/** The verdicts that a version keeps from its birth. */
export function storedVerdicts({ held_out }: Evaluation): Map<string, boolean> {
  return new Map([
    ...held_out.right.map(row => [row, true] as const),
    ...held_out.wrong.map(row => [row, false] as const),
  ])
}

/** Those of a learned version that hold still, on the rows that are still there. */
export function keptVerdicts(evaluation: Evaluation | undefined, examples: Example[]): Map<string, boolean> {
  if (evaluation?.held_out.method !== 'out_of_fold') return new Map()
  const present = new Set(examples.map(exampleKey))
  return new Map([...storedVerdicts(evaluation)].filter(([row]) => present.has(row)))
}

export function scorecardOf(
  version: { number: number; digest: string },
  method: Scorecard['held_out']['method'],
  verdicts: Map<string, boolean>,
  { cases, outcomes }: { cases: GoldenCase[]; outcomes: Outcome[] },
): Scorecard {
  const right = [...verdicts.values()].filter(Boolean).length
  const failed = failuresOf(cases, outcomes)
  return {
    version: version.number,
    digest: version.digest,
    held_out: { ...scoreOf(right, verdicts.size), method },
    cases: { ...scoreOf(cases.length - failed.length, cases.length), failed },
    verdicts,
  }
}

/** What a version keeps of how good it was at birth. */
export function evaluationOf({ held_out, cases, verdicts }: Scorecard): Evaluation {
  const rows = [...verdicts].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    held_out: {
      method: held_out.method,
      right: rows.filter(([, right]) => right).map(([row]) => row),
      wrong: rows.filter(([, right]) => !right).map(([row]) => row),
    },
    cases: { passed: cases.right, failed: cases.failed.map(failure => failure.case) },
  }
}

/** Accuracy on held-out rows when the version was made. */
export function scoreAtBirth({ held_out }: Evaluation): Score {
  return scoreOf(held_out.right.length, held_out.right.length + held_out.wrong.length)
}

export function isRight(outcome: Outcome, { output }: Example): boolean {
  return outcome.status === 'success' && isDeepStrictEqual(outcome.output, output)
}

function failuresOf(cases: GoldenCase[], outcomes: Outcome[]): CaseFailure[] {
  return cases.flatMap((golden, i) => {
    const outcome = outcomes[i]!
    if (isRight(outcome, golden)) return []
    const { name, output } = golden
    const got = outcome.status === 'success' ? { got: outcome.output } : { error: outcome.error.message }
    return [{ case: name, expected: output, ...got }]
  })
}
