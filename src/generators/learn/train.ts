import type { Progress } from '../../domain/draft.ts'
import { chooseSetting, type Race, tryHalf } from './choose.ts'
import { startCrew, type Threads } from './crew.ts'
import { dropRareFeatures, extractFeatures, type Features, type Names } from './features.ts'
import { fitFinal } from './final.ts'
import type { Effort, FitResult, FitTask, Setting } from './fit.ts'
import { type LinearProblem, qualityOfRows, rowsOfFolds, type Trial } from './folds.ts'
import { type Lane, lanesOf, type Span } from './lanes.ts'
import type { LinearModel } from './model.ts'
import type { LinearCrew } from './models.ts'
import type { Metric } from './problem.ts'
import { allRows, type Rows } from './rows.ts'
import type { Target } from './targets.ts'

export interface TrainOptions extends Threads {
  report: (progress: Progress) => void
}

/** What a linear model is to learn: all targets at once, from the same texts. */
export interface LinearLesson {
  rows: Rows
  texts: string[]
  targets: Target[]
  metric: Metric
}

/** Quality of the answers by models that had not seen the row, after learning from all and from half of the others. */
export interface LearningCurve {
  all: number
  half: number
}

export interface TrainedLinear {
  model: LinearModel
  setting: Setting
  /** Of models that had not seen the row: one row a row, one value a lane. */
  scores: Float32Array
  /** Lanes of the targets. */
  spans: Span[]
  learningCurve: LearningCurve
}

/** Matrix entries times lanes that one fit may visit. Rows that are learned drop out early, so few fits come near. */
const MOST_WORK_PER_FIT = 8e9
/** Characters. */
const LONG_TEXT = 300
/** Of a model in JSON. */
const MOST_BYTES = 4.5e6

/** Learns a model from texts. The same rows give the same model with any number of threads. */
export async function trainLinear(lesson: LinearLesson, options: TrainOptions): Promise<TrainedLinear> {
  const { rows, targets, metric } = lesson
  const { report } = options
  report({ stage: 'reading the examples', done: 0, total: 1 })
  const long = isLong(lesson.texts)
  const { features, names } = readFeatures(lesson.texts, rows, { counts: long })
  const { lanes, spans } = lanesOf(targets)
  const afford = affordable(features, lanes.length)
  const crew = startLinearCrew({ features, lanes, seed: rows.seed }, options)

  const problem: LinearProblem = { rows, targets, spans, metric }
  const race: Race = { problem, crew, afford, report, long }
  const full = await chooseSetting(race)
  report({ stage: 'measuring what more labels bring', done: 0, total: 1 })
  const half = await tryHalf(race, full)
  const { setting, scores } = full
  const final = {
    crew,
    features,
    names,
    setting,
    train: allRows(rows),
    afford,
    report,
    mostBytes: MOST_BYTES,
  }
  const model = await fitFinal(final)
  await crew.close()
  return { model, setting, scores, spans, learningCurve: learningCurve(problem, full, half) }
}

/** Texts in which features occur so often that it matters how they are counted. */
function isLong(texts: string[]): boolean {
  const lengths = Int32Array.from(texts, text => text.length).sort()
  return lengths[Math.floor(lengths.length / 2)]! > LONG_TEXT
}

/** Features of texts, without those that too few inputs share. */
export function readFeatures(
  texts: string[],
  { input, minInputs }: Rows,
  { counts } = { counts: false },
): { features: Features; names: Names } {
  const { features, names } = extractFeatures(texts, { counts })
  return { features: minInputs > 1 ? dropRareFeatures(features, input, minInputs) : features, names }
}

export function startLinearCrew(
  shared: { features: Features; lanes: Lane[]; seed: number },
  threads: Threads,
): LinearCrew {
  return { ...startCrew<FitTask, FitResult>({ role: 'fit', shared }, threads), lanes: shared.lanes.length }
}

/** Lowers the effort where rows and labels are so many that a fit would take minutes. */
export function affordable({ words, chars }: Features, lanes: number): (effort: Effort) => Effort {
  const entries = words.feature.length + chars.feature.length
  const epochs = Math.max(6, Math.floor(MOST_WORK_PER_FIT / (entries * lanes + 1)))
  return effort => ({ ...effort, maxEpochs: Math.min(effort.maxEpochs, epochs) })
}

/** Half of the rows may have been tried on a part of the folds only, so it is the difference on these that counts. */
function learningCurve(problem: LinearProblem, full: Trial, half: Trial): LearningCurve {
  const same = rowsOfFolds(problem, half.folds)
  return {
    all: full.quality,
    half: full.quality - (qualityOfRows(problem, full.scores, same) - half.quality),
  }
}
