import { binOfNumber } from './bins.ts'
import { type ModelColumn, type Node, type TreesModel, UNIT } from './model.ts'

/** Bins of one input, one a column of the model. */
export type Bins = ArrayLike<number>

/** The trainer's own scores of an input's bins, one a lane: what the emitted program computes with integers as sets of leaves. */
export function createTrees({ columns, bases, trees }: TreesModel): (bins: Bins) => number[] {
  const lanes = bases.length
  const ranks = columns.map(({ orders }) => orders?.map(rankOf))
  return bins => {
    const units = new Float64Array(lanes)
    trees.forEach((tree, at) => {
      units[at % lanes]! += leafOf(tree, bins, at % lanes)
    })
    return bases.map((base, lane) => base + units[lane]! * UNIT)
  }

  function leafOf(tree: Node, bins: Bins, lane: number): number {
    let node = tree
    while (typeof node !== 'number') {
      const [column, position, missingLeft, left, right] = node
      const bin = bins[column]!
      const place = ranks[column] ? ranks[column][lane]![bin]! : bin - 1
      node = (bin === 0 ? missingLeft === 1 : place <= position) ? left : right
    }
    return node
  }
}

export function binOf(column: ModelColumn, value: number | string | undefined): number {
  if (column.kind === 'number') return binOfNumber(column.cuts, value as number)
  return column.values.indexOf(value as string) + 1
}

/** Position of each bin in an order. */
function rankOf(order: number[]): number[] {
  const ranks: number[] = [0]
  order.forEach((bin, position) => {
    ranks[bin] = position
  })
  return ranks
}
