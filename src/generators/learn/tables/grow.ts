import type { Binned } from './bins.ts'

/** A tree by node; node 0 is the root. */
export interface Grown {
  nodes: number
  /** -1 for a leaf. */
  column: Int32Array
  /** Bins at positions up to this one go left: bin `position + 1` of a number, the bins of the lane's order for categories. */
  position: Int32Array
  missingLeft: Uint8Array
  left: Int32Array
  right: Int32Array
  /** Answers of a leaf, one an output. */
  value: Float64Array
  gain: Float64Array
  /** Rows of a leaf. */
  rows: (Int32Array | undefined)[]
}

export interface Growth {
  leaves: number
  /** Fewest rows of a leaf. */
  minLeaf: number
  /** L2 penalty on the answers of leaves. */
  penalty: number
  rate: number
  /** Which order of categories is used. */
  lane: number
  /** Flags of the columns that may be asked for. */
  asked: Uint8Array
}

/** First and second derivatives of the loss. Rows times outputs, and rows. */
export interface Slopes {
  outputs: number
  gradient: Float64Array
  hessian: Float64Array
}

interface Split {
  gain: number
  column: number
  position: number
  missingLeft: boolean
}

interface Open {
  node: number
  rows: Int32Array
  /** Sums over the rows, for each bin of each column: gradients, hessian, rows. Absent in leaves that stay leaves. */
  sums: Float64Array | undefined
  best: Split
}

const SMALLEST_GAIN = 1e-6

/** Grows the leaf whose split gains most, until there are enough leaves or nothing gains. */
export function growTree(columns: Binned[], rows: Int32Array, slopes: Slopes, growth: Growth): Grown {
  const tree = emptyTree(2 * growth.leaves - 1, slopes.outputs)
  const bins = columns.reduce((sum, { count }) => sum + count, 0)
  const open = [addLeaf(rows, sumBins(rows))]
  for (let leaves = 1; leaves < growth.leaves; leaves++) {
    const at = open.reduce((best, leaf, i) => (leaf.best.gain > open[best]!.best.gain ? i : best), 0)
    const parent = open[at]!
    if (parent.best.gain <= SMALLEST_GAIN) break
    open.splice(at, 1, ...divide(parent, leaves + 1 < growth.leaves))
  }
  for (const leaf of open) writeLeaf(tree, leaf, slopes, growth)
  return tree

  function addLeaf(own: Int32Array, sums: Float64Array | undefined): Open {
    const node = tree.nodes++
    const best = sums ? findSplit(columns, { sums, count: own.length }, slopes.outputs, growth) : NO_SPLIT
    return { node, rows: own, sums, best }
  }

  /** Only the smaller side is summed; the larger is what remains of the parent. */
  function divide({ node, rows, sums, best }: Open, goOn: boolean): Open[] {
    const { bins } = columns[best.column]!
    const [left, right] = partition(rows, bins, leftBins(columns[best.column]!, best, growth.lane))
    const isLeftSmall = left.length <= right.length
    const ofSmall = goOn ? sumBins(isLeftSmall ? left : right) : undefined
    const ofLarge = ofSmall && subtract(sums!, ofSmall)
    tree.column[node] = best.column
    tree.position[node] = best.position
    tree.missingLeft[node] = best.missingLeft ? 1 : 0
    tree.gain[node] = best.gain
    tree.left[node] = tree.nodes
    tree.right[node] = tree.nodes + 1
    return [addLeaf(left, isLeftSmall ? ofSmall : ofLarge), addLeaf(right, isLeftSmall ? ofLarge : ofSmall)]
  }

  function sumBins(own: Int32Array): Float64Array {
    const { outputs } = slopes
    const sums = new Float64Array(bins * (outputs + 2))
    const slopesOfRows = outputs === 1 ? gather(own, slopes) : undefined
    let from = 0
    columns.forEach((column, at) => {
      const part = sums.subarray((outputs + 2) * from)
      from += column.count
      if (growth.asked[at] === 0) return
      if (slopesOfRows) sumColumn(column.bins, own, slopesOfRows, part)
      else sumOutputs(column.bins, own, slopes, part)
    })
    return sums
  }
}

const NO_SPLIT: Split = { gain: 0, column: -1, position: 0, missingLeft: true }

/** Flags for the bins that a split sends left. */
export function leftBins(
  { count, orders }: Binned,
  { position, missingLeft }: Pick<Split, 'position' | 'missingLeft'>,
  lane: number,
): Uint8Array {
  const flags = new Uint8Array(count)
  flags[0] = missingLeft ? 1 : 0
  for (let at = 0; at <= position; at++) flags[orders ? orders[lane]![at]! : at + 1] = 1
  return flags
}

function partition(rows: Int32Array, bins: Uint8Array, goesLeft: Uint8Array): [Int32Array, Int32Array] {
  const left = new Int32Array(rows.length)
  const right = new Int32Array(rows.length)
  let ofLeft = 0
  let ofRight = 0
  for (const row of rows) {
    if (goesLeft[bins[row]!] === 1) left[ofLeft++] = row
    else right[ofRight++] = row
  }
  return [left.subarray(0, ofLeft), right.subarray(0, ofRight)]
}

/** Gradient and hessian of each row in turn, so that columns need not look all over memory for them. */
function gather(rows: Int32Array, { gradient, hessian }: Slopes): Float64Array {
  const pairs = new Float64Array(2 * rows.length)
  for (let i = 0; i < rows.length; i++) {
    pairs[2 * i] = gradient[rows[i]!]!
    pairs[2 * i + 1] = hessian[rows[i]!]!
  }
  return pairs
}

/** The usual case of one output, without a loop over outputs in the innermost place. */
function sumColumn(bins: Uint8Array, rows: Int32Array, slopes: Float64Array, sums: Float64Array): void {
  for (let i = 0; i < rows.length; i++) {
    const at = 3 * bins[rows[i]!]!
    sums[at] = sums[at]! + slopes[2 * i]!
    sums[at + 1] = sums[at + 1]! + slopes[2 * i + 1]!
    sums[at + 2] = sums[at + 2]! + 1
  }
}

function sumOutputs(
  bins: Uint8Array,
  rows: Int32Array,
  { outputs, gradient, hessian }: Slopes,
  sums: Float64Array,
): void {
  for (const row of rows) {
    const at = (outputs + 2) * bins[row]!
    for (let output = 0; output < outputs; output++) sums[at + output]! += gradient[row * outputs + output]!
    sums[at + outputs]! += hessian[row]!
    sums[at + outputs + 1]!++
  }
}

function subtract(from: Float64Array, sums: Float64Array): Float64Array {
  for (let at = 0; at < from.length; at++) from[at] = from[at]! - sums[at]!
  return from
}

/** The best place to cut a leaf in two; missing values are tried on both sides. */
function findSplit(
  columns: Binned[],
  { sums, count: rows }: { sums: Float64Array; count: number },
  outputs: number,
  { minLeaf, penalty, lane, asked }: Growth,
): Split {
  const stride = outputs + 2
  const best: Split = { ...NO_SPLIT }
  if (rows < 2 * minLeaf) return best
  const scan = outputs === 1 ? scanColumn : scanOutputs
  let from = 0
  columns.forEach(({ count, orders }, column) => {
    const own = sums.subarray(from, from + count * stride)
    from += own.length
    if (asked[column] === 0) return
    const order = orders?.[lane]
    const missing = own[stride - 1]! > 0.5
    for (const missingLeft of missing ? [true, false] : [true]) {
      // With missing values on the right side, all known ones may go left.
      const positions = missing && !missingLeft ? count - 1 : count - 2
      const cut = scan(own, {
        order,
        positions,
        withMissing: missing && missingLeft,
        rows,
        minLeaf,
        penalty,
        outputs,
      })
      if (cut.gain <= best.gain) continue
      Object.assign(best, {
        gain: cut.gain,
        position: cut.position,
        column,
        missingLeft: missing ? missingLeft : cut.rows * 2 >= rows,
      })
    }
  })
  return best
}

interface Scan {
  /** Bins by position, when it is not their own order. */
  order: Uint8Array | undefined
  positions: number
  /** Whether missing values are on the left side from the start. */
  withMissing: boolean
  rows: number
  minLeaf: number
  penalty: number
  outputs: number
}

/** The position after which to cut a column, its gain, and the rows on the left. */
interface Cut {
  gain: number
  position: number
  rows: number
}

/** For the usual case of one output. A side is worth gradient² / (hessian + penalty). */
function scanColumn(
  sums: Float64Array,
  { order, positions, withMissing, rows, minLeaf, penalty }: Scan,
): Cut {
  let gradient = 0
  let hessian = 0
  for (let at = 0; at < sums.length; at += 3) {
    gradient += sums[at]!
    hessian += sums[at + 1]!
  }
  const whole = (gradient * gradient) / (hessian + penalty)
  let left = withMissing ? sums[0]! : 0
  let curvature = withMissing ? sums[1]! : 0
  let count = withMissing ? sums[2]! : 0
  const best: Cut = { gain: 0, position: 0, rows: 0 }
  for (let position = 0; position < positions; position++) {
    const at = 3 * (order ? order[position]! : position + 1)
    if (sums[at + 2]! < 0.5) continue
    left += sums[at]!
    curvature += sums[at + 1]!
    count += sums[at + 2]!
    if (count < minLeaf) continue
    if (rows - count < minLeaf) break
    const right = gradient - left
    const gain =
      (left * left) / (curvature + penalty) + (right * right) / (hessian - curvature + penalty) - whole
    if (gain <= best.gain) continue
    best.gain = gain
    best.position = position
    best.rows = count
  }
  return best
}

function scanOutputs(sums: Float64Array, scan: Scan): Cut {
  const { order, positions, withMissing, rows, minLeaf, penalty, outputs } = scan
  const stride = outputs + 2
  const total = new Float64Array(stride)
  for (let at = 0; at < sums.length; at++) total[at % stride]! += sums[at]!
  const left = withMissing ? sums.slice(0, stride) : new Float64Array(stride)
  const best: Cut = { gain: 0, position: 0, rows: 0 }
  for (let position = 0; position < positions; position++) {
    const from = stride * (order ? order[position]! : position + 1)
    for (let i = 0; i < stride; i++) left[i]! += sums[from + i]!
    const count = left[stride - 1]!
    if (count < minLeaf || rows - count < minLeaf) continue
    const right = total.map((sum, i) => sum - left[i]!)
    const gain = worth(left) + worth(right) - worth(total)
    if (gain > best.gain) Object.assign(best, { gain, position, rows: count })
  }
  return best

  function worth(of: Float64Array): number {
    let squares = 0
    for (let output = 0; output < outputs; output++) squares += of[output]! * of[output]!
    return squares / (of[outputs]! + penalty)
  }
}

function writeLeaf(
  tree: Grown,
  { node, rows }: { node: number; rows: Int32Array },
  { outputs, gradient, hessian }: Slopes,
  { rate, penalty }: Growth,
): void {
  let curvature = penalty
  for (const row of rows) curvature += hessian[row]!
  for (let output = 0; output < outputs; output++) {
    let slope = 0
    for (const row of rows) slope += gradient[row * outputs + output]!
    tree.value[node * outputs + output] = (-rate * slope) / curvature
  }
  tree.rows[node] = rows
}

function emptyTree(most: number, outputs: number): Grown {
  return {
    nodes: 0,
    column: new Int32Array(most).fill(-1),
    position: new Int32Array(most),
    missingLeft: new Uint8Array(most),
    left: new Int32Array(most),
    right: new Int32Array(most),
    value: new Float64Array(most * outputs),
    gain: new Float64Array(most),
    rows: [],
  }
}
