import { countRight } from './answers.ts'
import type { Crew } from './crew.ts'
import type { Effort, Setting } from './fit.ts'
import { scoreModels } from './models.ts'
import { FOLDS, type Problem } from './problem.ts'

export const ALL_FOLDS = Array.from({ length: FOLDS }, (_, fold) => fold)

/** A setting, and how models with it answer rows that they had not seen. */
export interface Trial {
  setting: Setting
  /** Out-of-fold scores: one row a row, one value a lane; NaN where nothing in the row was known. */
  scores: Float32Array
  /** Folds that were answered, how many rows they have, and how many of these were answered rightly. */
  folds: number[]
  rows: number
  right: number
  /** Matrix entries that were visited. */
  work: number
}

/** Rows that models may learn from, flagged. */
export interface Sample {
  name: string
  has: Uint8Array
}

export interface FoldRun {
  folds: number[]
  effort: Effort
  sample?: Sample
}

export function createTrial({ texts }: Problem, { lanes }: Crew, setting: Setting): Trial {
  const scores = new Float32Array(texts.length * lanes).fill(Number.NaN)
  return { setting, scores, folds: [], rows: 0, right: 0, work: 0 }
}

/** For each fold: fits the settings of all trials without it, has them answer it, and adds that to the trials. */
export async function runFolds(
  { problem, crew }: { problem: Problem; crew: Crew },
  trials: Trial[],
  { folds, effort, sample }: FoldRun,
): Promise<void> {
  const fits = folds.flatMap(fold => {
    const { train, test } = rowsOf(problem, fold, sample)
    const name = `${sample?.name ?? 'all'} ${fold}`
    return trials.map(trial => ({
      trial,
      fold,
      request: { setting: trial.setting, effort, train, test, name },
    }))
  })
  const scored = await scoreModels(
    crew,
    fits.map(({ request }) => request),
  )
  for (const [i, { trial, fold, request }] of fits.entries()) {
    const { scores, work } = scored[i]!
    request.test.forEach((row, at) => {
      trial.scores.set(scores.subarray(at * crew.lanes, (at + 1) * crew.lanes), row * crew.lanes)
    })
    trial.folds.push(fold)
    trial.rows += request.test.length
    trial.right += countRight(trial.scores, problem, request.test)
    trial.work += work
  }
}

function rowsOf({ fold }: Problem, tested: number, sample?: Sample): { train: Int32Array; test: Int32Array } {
  const rows = Int32Array.from(fold, (_, row) => row)
  return {
    train: rows.filter(row => fold[row] !== tested && (!sample || sample.has[row])),
    test: rows.filter(row => fold[row] === tested),
  }
}
