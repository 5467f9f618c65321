import { fitBayes } from './bayes.ts'
import type { Features } from './features.ts'
import type { Lane } from './lanes.ts'
import { type Blocks, type Counting, chooseColumns, type Matrix, weighRows } from './matrix.ts'
import { fitRidge } from './ridge.ts'
import { dotRow, type FitOptions, fitSvm } from './svm.ts'

/** What the threads that fit have in common. */
export interface Shared {
  features: Features
  lanes: Lane[]
  seed: number
}

export interface Setting {
  use: Blocks
  /** Price of a mistake, C. */
  cost: number
  /** Mistakes on rare labels cost as much in all as those on frequent ones. */
  balanced?: boolean
  counting?: Counting
  /** Complement naive Bayes instead of the support vector machine. */
  bayes?: boolean
}

/** How exact a fit is. */
export interface Effort {
  tolerance: number
  maxEpochs: number
}

/** One piece of work: some lanes of a model for some rows. */
export interface FitTask {
  setting: Setting
  effort: Effort
  train: Int32Array
  /** Tasks with the same key have the same rows and columns, so a thread can keep the matrix. */
  matrixKey: string
  lanes: [from: number, to: number]
  keep?: { words: Uint8Array; chars: Uint8Array }
  /** `scores` of the `test` rows, `importance` of the columns, or the `weights` themselves. */
  want: 'scores' | 'importance' | 'weights'
  test: Int32Array
}

export interface FitResult {
  /** Matrix entries visited. Unlike seconds, it is the same on every machine. */
  work: number
  biases: Float32Array
  /** `scores`: one row a test row, one value a lane; NaN where a row has no known feature. */
  scores?: Float32Array
  /** `importance`: (Σ weights²) · (Σ values²) by column. */
  importance?: Float64Array
  /** `weights`: one row a lane, one value a column. */
  weights?: Float32Array
}

/** Answers fit tasks one after the other. A result depends on its task alone. */
export function createFitter({ features, lanes, seed }: Shared): (task: FitTask) => FitResult {
  let current: { key: string; columns: number; train: Matrix; test: Matrix } | undefined

  function matricesOf(task: FitTask) {
    if (current?.key === task.matrixKey) return current
    current = undefined
    const columns = chooseColumns(features, task.train, {
      use: task.setting.use,
      ...(task.keep && { keep: task.keep }),
    })
    const weighing = { columns, counting: task.setting.counting ?? 'words' }
    const train = weighRows(features, task.train, weighing)
    const test = weighRows(features, task.test, weighing)
    current = { key: task.matrixKey, columns: columns.size, train, test }
    return current
  }

  return task => {
    const { columns, train, test } = matricesOf(task)
    const [from, to] = task.lanes
    const width = to - from
    const goals = new Float32Array(train.rows)
    const weights = new Float32Array(columns)
    const result: FitResult = { work: 0, biases: new Float32Array(width) }
    if (task.want === 'scores') result.scores = new Float32Array(test.rows * width)
    if (task.want === 'importance') result.importance = new Float64Array(columns)
    if (task.want === 'weights') result.weights = new Float32Array(width * columns)

    for (let lane = from; lane < to; lane++) {
      const goal = lanes[lane]!
      task.train.forEach((row, i) => {
        goals[i] = 'value' in goal ? goal.value[row]! : goal.label[row] === goal.positive ? 1 : -1
      })
      const options = { cost: task.setting.cost, ...task.effort, seed: seed + lane + 1 }
      const { bias, work } = fitLane(train, goals, weights, { ...options, setting: task.setting, goal })
      result.work += work
      result.biases[lane - from] = bias
      if (result.scores) writeScores(test, weights, { bias, into: result.scores, at: lane - from, width })
      if (result.importance) addSquares(result.importance, weights)
      result.weights?.set(weights, (lane - from) * columns)
    }
    if (result.importance) multiply(result.importance, squaresByColumn(train, columns))
    return result
  }
}

function fitLane(
  train: Matrix,
  goals: Float32Array,
  weights: Float32Array,
  { setting, goal, ...options }: FitOptions & { setting: Setting; goal: Lane },
): { bias: number; work: number } {
  if ('value' in goal) return fitRidge(train, goals, weights, options)
  if (setting.bayes) return fitBayes(train, goals, weights)
  return fitSvm(train, goals, weights, {
    ...options,
    ...(setting.balanced && { positiveFactor: rarity(goals) }),
  })
}

/** Negative rows for each positive one. */
function rarity(signs: Float32Array): number {
  const positive = signs.filter(sign => sign > 0).length
  return positive === 0 ? 1 : (signs.length - positive) / positive
}

function writeScores(
  matrix: Matrix,
  weights: Float32Array,
  { bias, into, at, width }: { bias: number; into: Float32Array; at: number; width: number },
): void {
  for (let row = 0; row < matrix.rows; row++) {
    const known = matrix.start[row] !== matrix.start[row + 1]
    into[row * width + at] = known ? bias + dotRow(matrix, row, weights) : Number.NaN
  }
}

function squaresByColumn({ column, value }: Matrix, columns: number): Float64Array {
  const squares = new Float64Array(columns)
  for (let entry = 0; entry < column.length; entry++)
    squares[column[entry]!]! += value[entry]! * value[entry]!
  return squares
}

function addSquares(sums: Float64Array, weights: Float32Array): void {
  for (let column = 0; column < sums.length; column++) sums[column]! += weights[column]! * weights[column]!
}

function multiply(values: Float64Array, factors: Float64Array): void {
  for (let column = 0; column < values.length; column++) values[column]! *= factors[column]!
}
