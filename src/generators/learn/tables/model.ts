import type { Binned, Binning } from './bins.ts'
import type { Path } from './columns.ts'
import type { Grown } from './grow.ts'

/** What trees ask of an input. `share`: how much of what the trees gain is due to it. */
export type ModelColumn = Source & Binning & { orders?: number[][]; share: number }

/** A value of the input, or one lane of the score that a linear model gives to a text in it. */
export type Source = { path: Path; text?: { model: number; lane: number } }

/** A leaf is its answer in units; a node is its column, position, 1 if missing values go left, and what is left and right. */
export type Node = number | [column: number, position: number, missingLeft: number, left: Node, right: Node]

/** Boosted trees: the score of a lane is its base plus the answers of its trees. Tree i belongs to lane i modulo the lanes. */
export interface TreesModel {
  columns: ModelColumn[]
  bases: number[]
  trees: Node[]
}

/** Answers of leaves are whole numbers of these, so that sums do not depend on their order. */
export const UNIT = 1e-5

export function encodeTree(tree: Grown, node = 0): Node {
  const column = tree.column[node]!
  if (column < 0) return Math.round(tree.value[node]! / UNIT)
  return [
    column,
    tree.position[node]!,
    tree.missingLeft[node]!,
    encodeTree(tree, tree.left[node]!),
    encodeTree(tree, tree.right[node]!),
  ]
}

/** Puts a model together, without the columns that no tree asks for. */
export function assembleModel(
  trees: Node[],
  bases: number[],
  { columns, sources, gains }: { columns: Binned[]; sources: Source[]; gains: Float64Array },
): TreesModel {
  const used = [...new Set(trees.flatMap(columnsOf))].sort((a, b) => a - b)
  const at = new Map(used.map((column, i) => [column, i]))
  const gain = gains.reduce((sum, own) => sum + own, 0)
  return {
    columns: used.map(column => {
      const { binning, orders } = columns[column]!
      const share = Number((gains[column]! / gain).toFixed(3))
      return {
        ...sources[column]!,
        ...binning,
        ...(orders && { orders: orders.map(order => [...order]) }),
        share,
      }
    }),
    bases,
    trees: trees.map(tree => renumber(tree, at)),
  }
}

function columnsOf(node: Node): number[] {
  return typeof node === 'number' ? [] : [node[0], ...columnsOf(node[3]), ...columnsOf(node[4])]
}

function renumber(node: Node, at: Map<number, number>): Node {
  if (typeof node === 'number') return node
  const [column, position, missingLeft, left, right] = node
  return [at.get(column)!, position, missingLeft, renumber(left, at), renumber(right, at)]
}
