import { type Block, dampedCount, type Features } from './features.ts'

/** Blocks of features that a setting uses. */
export interface Blocks {
  words: boolean
  chars: boolean
}

/** The features that a fit uses: columns of its matrix, words first. */
export interface Columns {
  /** Column of each feature of a block, -1 where it has none. */
  words: Int32Array
  chars: Int32Array
  /** Number of the first column that is a character sequence. */
  firstChar: number
  size: number
  /** Rows that have the feature, by column. */
  documents: Int32Array
  /** ln((1 + rows) / (1 + documents)) + 1, by column. */
  idf: Float32Array
}

/** Weighted rows: entries `start[i]` to `start[i + 1]` belong to the i-th of the rows that were asked for. */
export interface Matrix {
  rows: number
  start: Int32Array
  column: Int32Array
  value: Float32Array
  /** Σ value², by row. */
  squaredNorm: Float32Array
}

/** A character sequence in only one row tells nothing, once there are this many rows. */
const ENOUGH_ROWS_FOR_CHARS = 300
/** Nor does a word or pair in only one row, once there are more of them than a program can hold. */
const ENOUGH_WORDS = 100_000

/** Columns for what `rows` contain. `keep` (one flag a feature) leaves out the rest. */
export function chooseColumns(
  features: Features,
  rows: Int32Array,
  { use, keep }: { use: Blocks; keep?: { words: Uint8Array; chars: Uint8Array } },
): Columns {
  const documents: number[] = []
  const assign = (block: Block, used: boolean, minimum: number, kept?: Uint8Array) => {
    const columns = new Int32Array(block.size).fill(-1)
    if (!used) return columns
    documentCounts(block, rows).forEach((count, feature) => {
      if (count >= minimum && (!kept || kept[feature])) columns[feature] = documents.push(count) - 1
    })
    return columns
  }
  const words = assign(features.words, use.words, features.words.size > ENOUGH_WORDS ? 2 : 1, keep?.words)
  const firstChar = documents.length
  const chars = assign(features.chars, use.chars, rows.length < ENOUGH_ROWS_FOR_CHARS ? 1 : 2, keep?.chars)
  const idf = Float32Array.from(documents, count => inverseDocumentFrequency(rows.length, count))
  return { words, chars, firstChar, size: documents.length, documents: Int32Array.from(documents), idf }
}

export function inverseDocumentFrequency(rows: number, documents: number): number {
  return Math.log((1 + rows) / (1 + documents)) + 1
}

/**
 * How features that occur several times count: damped word by word, so that sums over words are enough (norm sqrt(Σ square · idf²)),
 * or each feature exactly, 1 + ln(its occurrences), with the norm of just these values.
 */
export type Counting = 'words' | 'features'

/** Weights rows by idf and divides each block of a row by its norm. */
export function weighRows(
  features: Features,
  rows: Int32Array,
  { columns, counting }: { columns: Columns; counting: Counting },
): Matrix {
  const capacity = entriesOf(features.words, rows) + entriesOf(features.chars, rows)
  const start = new Int32Array(rows.length + 1)
  const column = new Int32Array(capacity)
  const value = new Float32Array(capacity)
  const squaredNorm = new Float32Array(rows.length)
  let used = 0

  /** Returns Σ value² of what it added. */
  function addBlock(block: Block, columnOf: Int32Array, row: number): number {
    const from = used
    let norm = 0
    for (let entry = block.start[row]!; entry < block.start[row + 1]!; entry++) {
      const at = columnOf[block.feature[entry]!]!
      if (at < 0) continue
      const idf = columns.idf[at]!
      column[used] = at
      const own = counting === 'features' ? dampedCount(block.count![entry]!) : block.value[entry]!
      const square = counting === 'features' ? own * own : block.square[entry]!
      value[used++] = own * idf
      norm += square * idf * idf
    }
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
    let sum = 0
    for (let entry = from; entry < used; entry++) {
      const weighted = value[entry]! * scale
      value[entry] = weighted
      sum += weighted * weighted
    }
    return sum
  }

  rows.forEach((row, i) => {
    squaredNorm[i] =
      addBlock(features.words, columns.words, row) + addBlock(features.chars, columns.chars, row)
    start[i + 1] = used
  })
  return {
    rows: rows.length,
    start,
    squaredNorm,
    column: column.subarray(0, used),
    value: value.subarray(0, used),
  }
}

function documentCounts(block: Block, rows: Int32Array): Int32Array {
  const counts = new Int32Array(block.size)
  for (const row of rows) {
    for (let entry = block.start[row]!; entry < block.start[row + 1]!; entry++)
      counts[block.feature[entry]!]!++
  }
  return counts
}

function entriesOf(block: Block, rows: Int32Array): number {
  let entries = 0
  for (const row of rows) entries += block.start[row + 1]! - block.start[row]!
  return entries
}
