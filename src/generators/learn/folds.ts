import type { Effort, Setting } from './fit.ts'
import type { Span } from './lanes.ts'
import { type LinearCrew, scoreModels } from './models.ts'
import type { Metric } from './problem.ts'
import { qualityOf } from './quality.ts'
import { allRows, type Rows, splitRows } from './rows.ts'
import type { Target } from './targets.ts'

/** What linear models learn together: all lanes of all targets, from the same features. */
export interface LinearProblem {
  rows: Rows
  targets: Target[]
  spans: Span[]
  metric: Metric
}

/** A setting, and how models with it answer rows that they had not seen. */
export interface Trial {
  setting: Setting
  /** Out-of-fold scores: one row a row, one value a lane; NaN where nothing in the row was known. */
  scores: Float32Array
  /** Folds that were answered, how many rows they have, and how well these were answered. */
  folds: number[]
  rows: number
  quality: number
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

export function createTrial({ rows }: LinearProblem, { lanes }: LinearCrew, setting: Setting): Trial {
  const scores = new Float32Array(rows.fold.length * lanes).fill(Number.NaN)
  return { setting, scores, folds: [], rows: 0, quality: 0, work: 0 }
}

/** For each fold: fits the settings of all trials without it, has them answer it, and adds that to the trials. */
export async function runFolds(
  { problem, crew }: { problem: LinearProblem; crew: LinearCrew },
  trials: Trial[],
  { folds, effort, sample }: FoldRun,
): Promise<void> {
  const fits = folds.flatMap(fold => {
    const { train, test } = splitRows(problem.rows, fold, sample?.has)
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
    trial.work += work
  }
  for (const trial of trials) {
    const answered = rowsOfFolds(problem, trial.folds)
    trial.rows = answered.length
    trial.quality = qualityOfRows(problem, trial.scores, answered)
  }
}

export function rowsOfFolds({ rows }: LinearProblem, folds: number[]): Int32Array {
  return allRows(rows).filter(row => folds.includes(rows.fold[row]!))
}

export function qualityOfRows(problem: LinearProblem, scores: Float32Array, rows: Int32Array): number {
  const { targets, spans, metric } = problem
  return qualityOf(targets, { scores, lanes: spans.at(-1)!.to, spans }, rows, metric)
}
