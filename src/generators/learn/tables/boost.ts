import { type Binned, binColumn, type Values } from './bins.ts'
import { createDraws } from './draws.ts'
import { exponential } from './exponential.ts'
import { type Grown, growTree, leftBins, type Slopes } from './grow.ts'
import { assembleModel, encodeTree, type Node, type Source, type TreesModel } from './model.ts'

/** What the threads that grow trees have in common. */
export interface TableShared {
  /** Columns of values. */
  columns: Values[]
  sources: Source[]
  /** Scores of text columns by the folds that their models had not seen, as more columns of numbers. */
  texts: Record<string, Float64Array[]>
  textSources: Source[]
  goal: Goal
  /** Rows that a category needs. */
  fewest: number
}

/** Labels by position, or numbers in units of their spread. */
export type Goal =
  | { kind: 'choice'; label: Int32Array; labels: number }
  | { kind: 'number'; value: Float64Array }

export interface BoostTask {
  train: Int32Array
  test: Int32Array
  /** Which scores of text columns are used. */
  texts: string
  leaves: number
  minLeaf: number
  /** Each tree is grown from a part of the rows and columns. */
  isSampling: boolean
  rounds: number
  /** Rounds without a smaller loss on the test rows after which to stop; 0 to go on. */
  patience: number
}

export interface BoostResult {
  /** Mean loss on the test rows after each round. */
  losses: number[]
  model: TreesModel
}

const RATE = 0.1
const PENALTY = 1
const LEAST_CURVATURE = 1e-6

/** Answers boosting tasks one after the other. A result depends on its task alone. */
export function createBooster(shared: TableShared): (task: BoostTask) => BoostResult {
  return task => {
    const columns = binColumns(shared, task)
    const sources = [...shared.sources, ...shared.textSources]
    const { losses, trees, bases, gains } = boost(columns, shared.goal, task)
    return { losses, model: assembleModel(trees, bases, { columns, sources, gains }) }
  }
}

/** Columns in bins that suit the rows of a task, with those of the text scores that its rows may know. */
export function binColumns(
  shared: TableShared,
  { train, texts }: Pick<BoostTask, 'train' | 'texts'>,
): Binned[] {
  const { goal, fewest } = shared
  const lanes = lanesOfGoal(goal)
  const means = {
    lanes,
    fewest,
    goal: (row: number, lane: number) =>
      goal.kind === 'number' ? goal.value[row]! : goal.label[row] === (lanes === 1 ? 1 : lane) ? 1 : 0,
  }
  const scores = (shared.texts[texts] ?? []).map(numbers => ({ kind: 'number', numbers }) as const)
  return [...shared.columns, ...scores].map(values => binColumn(values, train, means))
}

function lanesOfGoal(goal: Goal): number {
  return goal.kind === 'number' || goal.labels === 2 ? 1 : goal.labels
}

function boost(columns: Binned[], goal: Goal, task: BoostTask) {
  const { train, test, rounds, patience, isSampling } = task
  const lanes = lanesOfGoal(goal)
  const count = columns[0]?.bins.length ?? 0
  const bases = basesOf(goal, train)
  const scores = new Float64Array(count * lanes)
  for (let at = 0; at < scores.length; at++) scores[at] = bases[at % lanes]!
  const slopes: Slopes = { outputs: 1, gradient: new Float64Array(count), hessian: new Float64Array(count) }
  const shares = new Float64Array(lanes > 1 ? count * lanes : 0)
  const trees: Node[] = []
  const losses: number[] = []
  const gains = new Float64Array(columns.length)
  const draws = createDraws(train, columns.length, isSampling)
  let best = 0

  for (let round = 0; round < rounds; round++) {
    const drawn = draws.rows()
    /** Rows that are not in the leaves of a tree already walk down. */
    const walking = isSampling ? without(train, drawn, test) : test
    if (lanes > 1) for (const row of train) writeShares(scores, shares, row, lanes)
    for (let lane = 0; lane < lanes; lane++) {
      writeSlopes(slopes, lane)
      const { leaves, minLeaf } = task
      const growth = { leaves, minLeaf, penalty: PENALTY, rate: RATE, lane, asked: draws.columns() }
      const tree = growTree(columns, drawn, slopes, growth)
      trees.push(encodeTree(tree))
      tree.column.forEach((column, node) => {
        if (column >= 0) gains[column]! += tree.gain[node]!
      })
      addTree(tree, lane, walking)
    }
    if (test.length > 0) losses.push(meanLoss(goal, scores, test))
    if (losses[round]! < losses[best]!) best = round
    if (patience > 0 && round - best >= patience) break
  }
  return { losses, trees, bases, gains }

  function writeSlopes({ gradient, hessian }: Slopes, lane: number): void {
    for (const row of train) {
      if (goal.kind === 'number') {
        gradient[row] = scores[row]! - goal.value[row]!
        hessian[row] = 1
        continue
      }
      const share = lanes === 1 ? 1 / (1 + exponential(-scores[row]!)) : shares[row * lanes + lane]!
      gradient[row] = share - (goal.label[row] === (lanes === 1 ? 1 : lane) ? 1 : 0)
      hessian[row] = Math.max(LEAST_CURVATURE, share * (1 - share))
    }
  }

  function addTree(tree: Grown, lane: number, walking: Int32Array): void {
    for (let node = 0; node < tree.nodes; node++) {
      const rows = tree.rows[node]
      if (rows) for (const row of rows) scores[row * lanes + lane]! += tree.value[node]!
    }
    if (walking.length === 0) return
    const flags = Array.from({ length: tree.nodes }, (_, node) => {
      const column = columns[tree.column[node]!]
      const split = { position: tree.position[node]!, missingLeft: tree.missingLeft[node] === 1 }
      return column && leftBins(column, split, lane)
    })
    for (const row of walking) {
      let node = 0
      while (flags[node]) {
        const bin = columns[tree.column[node]!]!.bins[row]!
        node = flags[node]![bin] ? tree.left[node]! : tree.right[node]!
      }
      scores[row * lanes + lane]! += tree.value[node]!
    }
  }
}

/** Rows without those of a subset that has them in the same order, and others after them. */
function without(rows: Int32Array, subset: Int32Array, others: Int32Array): Int32Array {
  const rest = new Int32Array(rows.length - subset.length + others.length)
  let used = 0
  let next = 0
  for (const row of rows) {
    if (row === subset[next]) next++
    else rest[used++] = row
  }
  rest.set(others, used)
  return rest
}

/** Logarithms of the shares of the labels (of the odds, for two), or the mean. */
function basesOf(goal: Goal, rows: Int32Array): number[] {
  if (goal.kind === 'number') {
    let sum = 0
    for (const row of rows) sum += goal.value[row]!
    return [sixDigits(rows.length === 0 ? 0 : sum / rows.length)]
  }
  const counts = new Float64Array(goal.labels).fill(0.5)
  for (const row of rows) counts[goal.label[row]!]!++
  if (goal.labels === 2) return [sixDigits(Math.log(counts[1]! / counts[0]!))]
  return Array.from(counts, count => sixDigits(Math.log(count / (rows.length + 0.5 * goal.labels))))
}

function sixDigits(value: number): number {
  return Number(value.toPrecision(6))
}

/** The softmax of a row's scores. */
function writeShares(scores: Float64Array, shares: Float64Array, row: number, lanes: number): void {
  const from = row * lanes
  let most = scores[from]!
  for (let lane = 1; lane < lanes; lane++) most = Math.max(most, scores[from + lane]!)
  let sum = 0
  for (let lane = 0; lane < lanes; lane++) {
    const share = exponential(scores[from + lane]! - most)
    shares[from + lane] = share
    sum += share
  }
  for (let lane = 0; lane < lanes; lane++) shares[from + lane]! /= sum
}

/** Squared error, or the logarithm of the share that the row's own label has. */
function meanLoss(goal: Goal, scores: Float64Array, rows: Int32Array): number {
  let loss = 0
  for (const row of rows)
    loss += goal.kind === 'number' ? (scores[row]! - goal.value[row]!) ** 2 : logLoss(goal, scores, row)
  return loss / rows.length
}

function logLoss(
  { label, labels }: Extract<Goal, { kind: 'choice' }>,
  scores: Float64Array,
  row: number,
): number {
  if (labels === 2) return Math.log1p(exponential(label[row] === 1 ? -scores[row]! : scores[row]!))
  const own = scores.subarray(row * labels, (row + 1) * labels)
  const most = own.reduce((a, b) => Math.max(a, b))
  const sum = own.reduce((sum, score) => sum + exponential(score - most), 0)
  return Math.log(sum) + most - own[label[row]!]!
}
