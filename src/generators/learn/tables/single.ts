import type { Json } from '../../../domain/json.ts'
import { roundConfidence } from '../answers.ts'
import { scaleOf } from '../lanes.ts'
import { NEAR } from '../readings.ts'
import { ALL_FOLDS, allRows, type Rows, splitRows } from '../rows.ts'
import type { ChoiceTarget, NumberTarget } from '../targets.ts'
import type { Binned } from './bins.ts'
import { binColumns, type TableShared } from './boost.ts'
import { categoryOf, cellOf, numberOf, type Path } from './columns.ts'
import { type Grown, growTree, leftBins, type Slopes } from './grow.ts'

/** A tree small enough to be read as code: questions with two answers each, down to the output. */
export type CodeTree = Leaf | Question

export interface Leaf {
  output: Json
  confidence: number
}

export interface Question {
  path: Path
  /** Whether a number is at most this, or a category among the first of two groups. */
  test: { atMost: number } | { among: string[]; others: string[] }
  /** What a missing number or an unknown category counts as. */
  unknown: boolean
  yes: CodeTree
  no: CodeTree
}

const LEAVES = 8
/** The trees' L2 penalty, small because there is only one. */
const PENALTY = 0.1

export function answerOfTree(tree: CodeTree, input: Json): Leaf {
  let at = tree
  while ('path' in at) at = isYes(at, cellOf(input, at.path)) ? at.yes : at.no
  return at
}

/** A single tree, and answers to rows by trees that had not seen them. */
export interface TrainedSingle {
  tree: CodeTree
  answers: Leaf[]
}

/** Grows a single tree from all rows, and answers each row by a tree that had not seen it. Text columns play no part. */
export function growSingle(lesson: SingleLesson): TrainedSingle {
  const { rows, target, shared } = lesson
  const answers: Leaf[] = []
  for (const fold of ALL_FOLDS) {
    const { train, test } = splitRows(rows, fold)
    const { columns, grown, leaves } = growFrom(train, lesson)
    for (const row of test) answers[row] = leaves[nodeOfRow(grown, columns, row)]!
  }
  const { columns, grown, leaves } = growFrom(allRows(rows), lesson)
  return { tree: questionsFrom(0), answers }

  function questionsFrom(node: number): CodeTree {
    const at = grown.column[node]!
    if (at < 0) return leaves[node]!
    const yes = questionsFrom(grown.left[node]!)
    const no = questionsFrom(grown.right[node]!)
    const same = !('path' in yes) && !('path' in no) && yes.output === no.output
    if (same && target.kind === 'choice')
      return { ...yes, confidence: Math.min(yes.confidence, no.confidence) }
    const { path } = shared.sources[at]!
    return { path, test: testOf(columns[at]!, grown, node), unknown: grown.missingLeft[node] === 1, yes, no }
  }
}

interface SingleLesson {
  rows: Rows
  target: ChoiceTarget | NumberTarget
  shared: TableShared
  minLeaf: number
}

function growFrom(train: Int32Array, { target, shared, minLeaf }: SingleLesson) {
  const columns = binColumns(shared, { train, texts: 'none' })
  const asked = new Uint8Array(columns.length).fill(1)
  const growth = { leaves: LEAVES, minLeaf, penalty: PENALTY, rate: 1, lane: 0, asked }
  const grown = growTree(columns, train, slopesOf(target, train), growth)
  const leaves = Array.from({ length: grown.nodes }, (_, node) => leafOf(target, grown.rows[node] ?? train))
  return { columns, grown, leaves }
}

/** Distance of the mean of `train` from each row: from its number, or from 1 for its own label and 0 for all others. */
function slopesOf(target: ChoiceTarget | NumberTarget, train: Int32Array): Slopes {
  const count = target.kind === 'choice' ? target.label.length : target.value.length
  const outputs = target.kind === 'choice' && target.labels.length > 2 ? target.labels.length : 1
  const { center, spread } = target.kind === 'number' ? scaleOf(target.value) : { center: 0, spread: 1 }
  const goal = (row: number, output: number) => {
    if (target.kind === 'number') return (target.value[row]! - center) / spread
    return target.label[row] === (outputs === 1 ? 1 : output) ? 1 : 0
  }
  const gradient = new Float64Array(count * outputs)
  for (let output = 0; output < outputs; output++) {
    let mean = 0
    for (const row of train) mean += goal(row, output) / train.length
    for (let row = 0; row < count; row++) gradient[row * outputs + output] = mean - goal(row, output)
  }
  return { outputs, gradient, hessian: new Float64Array(count).fill(1) }
}

/** The most frequent label and (a little less than) its share, or the mean and the share of rows near it. */
function leafOf(target: ChoiceTarget | NumberTarget, rows: Int32Array): Leaf {
  if (target.kind === 'choice') {
    const counts = new Int32Array(target.labels.length)
    for (const row of rows) counts[target.label[row]!]!++
    const best = counts.indexOf(counts.reduce((a, b) => Math.max(a, b)))
    const confidence = roundConfidence((counts[best]! + 1) / (rows.length + counts.length))
    return { output: target.labels[best]!, confidence }
  }
  const { value, decimals } = target
  const { spread } = scaleOf(value)
  let mean = 0
  for (const row of rows) mean += value[row]! / rows.length
  const output = Math.floor(mean * 10 ** decimals + 0.5) / 10 ** decimals
  const near = rows.filter(row => Math.abs(value[row]! - output) <= NEAR * spread).length
  return { output, confidence: roundConfidence(near / rows.length) }
}

function nodeOfRow(grown: Grown, columns: Binned[], row: number): number {
  let node = 0
  while (grown.column[node]! >= 0) {
    const column = columns[grown.column[node]!]!
    node = sidesOf(column, grown, node)[column.bins[row]!] ? grown.left[node]! : grown.right[node]!
  }
  return node
}

function sidesOf(column: Binned, grown: Grown, node: number): Uint8Array {
  return leftBins(column, { position: grown.position[node]!, missingLeft: grown.missingLeft[node] === 1 }, 0)
}

function testOf(column: Binned, grown: Grown, node: number): Question['test'] {
  const { binning } = column
  // All known numbers on one side: the question is whether there is one.
  if (binning.kind === 'number') return { atMost: binning.cuts[grown.position[node]!] ?? Number.MAX_VALUE }
  const left = sidesOf(column, grown, node)
  return {
    among: binning.values.filter((_, at) => left[at + 1]),
    others: binning.values.filter((_, at) => !left[at + 1]),
  }
}

function isYes({ test, unknown }: Question, cell: Json | undefined): boolean {
  if ('atMost' in test) {
    const number = numberOf(cell)
    return Number.isNaN(number) ? unknown : number <= test.atMost
  }
  const name = categoryOf(cell)
  if (name === undefined) return unknown
  return unknown ? !test.others.includes(name) : test.among.includes(name)
}
