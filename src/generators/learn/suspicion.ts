import type { Json } from '../../domain/json.ts'
import { bestLabel } from './answers.ts'
import { FOLDS, type Rows } from './rows.ts'

/** A row whose label a model that had not seen it finds strongly wrong. */
export interface Suspect {
  row: number
  preferred: Json
}

/** In units of the margin that the learner demands of every row: the other label is on the right side of it, the row's own is not. */
const STRONG_LEAD = 1

/**
 * How far the best label is ahead of the row's own; 0 when that is the best, or nothing in the row was known. A single score counts
 * for the second of two labels and, negated, for the first.
 */
export function leadOver(own: number, scores: ArrayLike<number>): number {
  if (Number.isNaN(scores[0])) return 0
  const best = bestLabel(scores)
  if (best === own) return 0
  return scores.length === 1 ? 2 * Math.abs(scores[0]!) : scores[best]! - scores[own]!
}

/** With fewer inputs than two a fold, a fold may leave out all that a label has: nobody is to be accused then. */
const LEAST_INPUTS = 2 * FOLDS

/** How many inputs there are, near-copies apart, when they are too few to judge anything by rows that are kept back. */
export function fewInputs({ input }: Rows): number | undefined {
  const inputs = new Set(input).size
  return inputs < LEAST_INPUTS && inputs < input.length ? inputs : undefined
}

/** Probably wrong labels, the surest first. Rows are those of `answers`. */
export function findSuspects(answers: { output: Json; lead: number }[], rows: Rows): Suspect[] {
  if (fewInputs(rows) !== undefined) return []
  return answers
    .map(({ output, lead }, row) => ({ row, preferred: output, lead }))
    .filter(({ lead }) => lead >= STRONG_LEAD)
    .sort((a, b) => b.lead - a.lead || a.row - b.row)
    .map(({ row, preferred }) => ({ row, preferred }))
}
