import { startCrew } from '../crew.ts'
import { lanesOfTarget } from '../lanes.ts'
import type { LinearModel } from '../model.ts'
import { qualityOf } from '../quality.ts'
import { ALL_FOLDS, allRows, splitRows } from '../rows.ts'
import type { LearningCurve, TrainOptions } from '../train.ts'
import type { Values } from './bins.ts'
import type { BoostResult, BoostTask, TableShared } from './boost.ts'
import { cellOf, textOfCell } from './columns.ts'
import type { Source, TreesModel } from './model.ts'
import { binOf, createTrees } from './scores.ts'
import { fewestOfLeaf, shareTable, type TableLesson } from './share.ts'
import { growSingle, type TrainedSingle } from './single.ts'
import { NO_TEXTS, scoreTexts } from './texts.ts'

export interface TrainedTrees {
  model: TreesModel
  /** Of the text columns. */
  texts: LinearModel[]
  leaves: number
  rounds: number
  /** Of models that had not seen the row: one row a row, one value a lane. */
  scores: Float32Array
  learningCurve: LearningCurve
}

const LEAVES = [4, 8, 16, 31]
/** So many rows are hardly ever told apart best by trees of 4 leaves. */
const MANY_ROWS = 10_000
const MOST_ROUNDS = 300
const FEWEST_ROUNDS = 5
const PATIENCE = 20
/** After which most forests stop. */
const USUAL_ROUNDS = 120
/** The final model has more rows than those of the folds. */
const MORE_ROUNDS = 1.1
/** Rows times columns times lanes times rounds (every row is visited some three times a round) of one forest, and of all that are compared. */
const BUDGET = { forest: 0.5e9, comparison: 0.6e9 }
/** Trees from parts of the rows and columns are better nearly always: with fewer rows only a clear difference over the folds speaks against them. */
const ENOUGH_TO_COMPARE = 2500
/** More labels than these would make more columns of a text than trees can use. */
const MOST_TEXT_LANES = 20

/** A single tree over the columns that are not text, if there are any. */
export function trainSingle(lesson: TableLesson): TrainedSingle | undefined {
  const { rows, target } = lesson
  const shared = shareTable(lesson, NO_TEXTS)
  if (shared.columns.length === 0) return undefined
  return growSingle({ rows, target, shared, minLeaf: fewestOfLeaf(rows.fold.length) })
}

/** Learns boosted trees from a table. The same rows give the same trees with any number of threads. */
export async function trainTrees(lesson: TableLesson, options: TrainOptions): Promise<TrainedTrees> {
  const { rows, target } = lesson
  const { report } = options
  const lanes = lanesOfTarget(target).length
  const texts = await scoreTexts(lanes > MOST_TEXT_LANES ? [] : textColumns(lesson), lesson, options)
  const shared = shareTable(lesson, texts)
  const width = shared.columns.length + texts.sources.length
  const roundWork = rows.fold.length * width * lanes
  const rounds = Math.max(20, Math.min(MOST_ROUNDS, Math.floor(BUDGET.forest / roundWork)))
  const crew = startCrew<BoostTask, BoostResult>({ role: 'boost', shared }, options)
  let isSampling = true
  const task = (fold: number, leaves: number, has?: Uint8Array): BoostTask => ({
    ...splitRows(rows, fold, has),
    texts: `${fold}`,
    leaves,
    minLeaf: fewestOfLeaf(rows.fold.length),
    isSampling,
    rounds,
    patience: PATIENCE,
  })
  const answered = ALL_FOLDS.filter(fold => rows.fold.includes(fold))
  const run = (tasks: BoostTask[], stage: string) =>
    crew.run(tasks, done => report({ stage, done, total: tasks.length }))

  const affordable = Math.floor(BUDGET.comparison / ((LEAVES.length + 1) * USUAL_ROUNDS * roundWork))
  const tried = answered.slice(0, Math.max(1, affordable))
  const grow = (leaves: number) =>
    run(
      tried.map(fold => task(fold, leaves)),
      `growing trees with ${leaves} leaves`,
    )
  const candidates = rows.fold.length < MANY_ROWS ? LEAVES : LEAVES.slice(1)
  const { leaves, results: sampled } = await climb(candidates, grow)
  isSampling = false
  const whole = await grow(leaves)
  const isEnough = rows.fold.length >= ENOUGH_TO_COMPARE
  isSampling = !isBetter(whole, sampled, isEnough ? 0 : 1)
  const compared = isSampling ? sampled : whole
  const rest = answered.filter(fold => !tried.includes(fold))
  const half = Uint8Array.from(rows.half)
  const results = await run(
    [...rest.map(fold => task(fold, leaves)), ...tried.map(fold => task(fold, leaves, half))],
    'answering every example unseen',
  )
  const folds = [...compared, ...results.slice(0, rest.length)]
  const halves = results.slice(rest.length)
  const chosen = argmin(meanLosses(folds)) + 1
  const final = {
    ...task(-1, leaves),
    texts: 'all',
    rounds: Math.max(FEWEST_ROUNDS, Math.round(MORE_ROUNDS * chosen)),
    patience: 0,
  }
  const [{ model }] = (await run([final], 'learning from all examples')) as [BoostResult]
  await crew.close()

  const scores = scoreFolds(folds, chosen)
  const ofHalves = scoreFolds(halves, argmin(meanLosses(halves)) + 1)
  const quality = (of: Float32Array, on: Int32Array) =>
    qualityOf([target], { scores: of, lanes, spans: [{ from: 0, to: lanes }] }, on, lesson.metric)
  const same = allRows(rows).filter(row => tried.includes(rows.fold[row]!))
  const all = quality(scores, allRows(rows))
  return {
    model,
    texts: texts.models,
    leaves,
    rounds: model.trees.length / lanes,
    scores,
    learningCurve: { all, half: all - quality(scores, same) + quality(ofHalves, same) },
  }

  /** Answers to the rows of each fold by the trees that were grown without it. */
  function scoreFolds(results: BoostResult[], rounds: number): Float32Array {
    const scores = new Float32Array(rows.fold.length * lanes).fill(Number.NaN)
    results.forEach(({ model }, at) => {
      const fold = answered[at]!
      const trees = createTrees({ ...model, trees: model.trees.slice(0, rounds * lanes) })
      const bins = binsOfRows(model, shared, `${fold}`)
      for (const row of splitRows(rows, fold).test) scores.set(trees(bins(row)), row * lanes)
    })
    return scores
  }
}

/** Tries more and more leaves for as long as that helps. */
async function climb(
  candidates: number[],
  grow: (leaves: number) => Promise<BoostResult[]>,
): Promise<{ leaves: number; results: BoostResult[] }> {
  let best: { leaves: number; results: BoostResult[]; loss: number } | undefined
  for (const leaves of candidates) {
    const results = await grow(leaves)
    const loss = Math.min(...meanLosses(results))
    if (best && loss >= best.loss) break
    best = { leaves, results, loss }
  }
  return best!
}

/** By more than so many standard errors over the folds. */
function isBetter(results: BoostResult[], others: BoostResult[], errors: number): boolean {
  const [rounds, ofOthers] = [argmin(meanLosses(results)), argmin(meanLosses(others))]
  const gains = results.flatMap(({ losses }, at) =>
    losses.length > 0 ? [others[at]!.losses[ofOthers]! - losses[rounds]!] : [],
  )
  const mean = gains.reduce((sum, gain) => sum + gain / gains.length, 0)
  const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0)
  return mean > errors * Math.sqrt(squares / Math.max(1, gains.length * (gains.length - 1)))
}

function textColumns({ inputs, columns }: TableLesson) {
  return columns
    .filter(({ kind }) => kind === 'text')
    .map(({ path }) => ({ path, texts: inputs.map(input => textOfCell(cellOf(input, path))) }))
}

function binsOfRows({ columns }: TreesModel, shared: TableShared, texts: string): (row: number) => number[] {
  const key = ({ path, text }: Source) => JSON.stringify([path, text?.lane])
  const values = new Map<string, Values>()
  for (const [at, source] of shared.sources.entries()) values.set(key(source), shared.columns[at]!)
  for (const [at, source] of shared.textSources.entries()) {
    values.set(key(source), { kind: 'number', numbers: shared.texts[texts]![at]! })
  }
  return row =>
    columns.map(column => {
      const own = values.get(key(column))!
      return binOf(column, own.kind === 'number' ? own.numbers[row]! : own.names[own.codes[row]!])
    })
}

/** By round, as long as all folds have come. */
function meanLosses(results: BoostResult[]): number[] {
  const tested = results.filter(({ losses }) => losses.length > 0)
  const rounds = Math.min(...tested.map(({ losses }) => losses.length))
  return Array.from({ length: Number.isFinite(rounds) ? rounds : 0 }, (_, round) =>
    tested.reduce((sum, { losses }) => sum + losses[round]! / tested.length, 0),
  )
}

function argmin(values: number[]): number {
  return values.reduce((best, value, at) => (value < values[best]! ? at : best), 0)
}
