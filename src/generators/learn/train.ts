import type { Progress } from '../../domain/draft.ts'
import { type Answer, answerOf, countRight, priorOf } from './answers.ts'
import { calibrate } from './calibration.ts'
import { chooseSetting, type Race, tryHalf } from './choose.ts'
import { startCrew } from './crew.ts'
import { dropRareFeatures, extractFeatures } from './features.ts'
import { fitFinal } from './final.ts'
import type { Effort, Setting } from './fit.ts'
import type { Trial } from './folds.ts'
import type { Model } from './model.ts'
import type { Problem } from './problem.ts'
import { leadOver } from './suspicion.ts'

/** What training gives. Rows are those of the problem. */
export interface Trained {
  model: Model
  setting: Setting
  /** Answers of models that had not seen the row, and how far their label is ahead of the row's own. */
  outOfFold: (Answer & { lead: number })[]
  /** Share of right answers by models that had not seen the row, after learning from all and from half of the others. */
  learningCurve: { all: number; half: number }
}

export interface TrainOptions {
  threads: number
  /** The threads' file. */
  file: string
  report: (progress: Progress) => void
}

/** Matrix entries times lanes that one fit may visit. Rows that are learned drop out early, so few fits come near. */
const MOST_WORK_PER_FIT = 8e9

/** Learns a model from rows. The same rows give the same model with any number of threads. */
export async function train(problem: Problem, { threads, file, report }: TrainOptions): Promise<Trained> {
  report({ stage: 'reading the examples', done: 0, total: 1 })
  const extracted = extractFeatures(problem.texts)
  const features =
    problem.minInputs > 1
      ? dropRareFeatures(extracted.features, problem.input, problem.minInputs)
      : extracted.features
  const lanes = problem.labels.length === 2 ? 1 : problem.labels.length
  const entries = features.words.feature.length + features.chars.feature.length
  const epochs = Math.max(6, Math.floor(MOST_WORK_PER_FIT / (entries * lanes + 1)))
  const afford = (effort: Effort) => ({ ...effort, maxEpochs: Math.min(effort.maxEpochs, epochs) })
  const crew = startCrew({ features, label: problem.label, lanes, seed: problem.seed }, { threads, file })

  const race: Race = { problem, crew, afford, report }
  const full = await chooseSetting(race)
  report({ stage: 'measuring what more labels bring', done: 0, total: 1 })
  const half = await tryHalf(race, full)
  const { setting, scores } = full
  const fitted = await fitFinal({ features, names: extracted.names, setting, ...race })
  await crew.close()

  const calibration = calibrate(scores, problem.label, lanes)
  const prior = priorOf(problem)
  const outOfFold = Array.from(problem.label, (label, row) => {
    const own = scores.subarray(row * lanes, (row + 1) * lanes)
    return { ...answerOf(own, calibration, prior), lead: leadOver(label, own) }
  })
  const model = { ...fitted, ...calibration, prior, labels: problem.labels, order: problem.order }
  return { model, setting, outOfFold, learningCurve: learningCurve(problem, full, half) }
}

/** Half of the rows may have been tried on a part of the folds only, so it is the difference on these that counts. */
function learningCurve(problem: Problem, full: Trial, half: Trial): Trained['learningCurve'] {
  const same = Int32Array.from(problem.fold, (_, row) => row).filter(row =>
    half.folds.includes(problem.fold[row]!),
  )
  const all = full.right / full.rows
  return { all, half: all - (countRight(full.scores, problem, same) - half.right) / half.rows }
}
