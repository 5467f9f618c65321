import canonicalize from 'canonicalize'
import type { Brief } from '../../domain/draft.ts'
import { foldOfNormalized, normalize } from '../../domain/example.ts'

/** The examples in an order of their own, so that the order of a file means nothing. Arrays have one value a row. */
export interface Rows {
  /** Position in the brief's examples. */
  example: Int32Array
  /** Rows of one fold are answered by a program that learned from the other folds. Near-copies are in the same fold. */
  fold: Int32Array
  /** 0 or 1: the half that a learning curve leaves out or keeps. */
  half: Int32Array
  /** The same number for near-copies. */
  input: Int32Array
  /** Distinct inputs that a feature needs before the program may contain it. */
  minInputs: number
  seed: number
}

export const FOLDS = 5
export const ALL_FOLDS = Array.from({ length: FOLDS }, (_, fold) => fold)
/** Inputs that must share a word when records are private. */
const MIN_INPUTS_PRIVATE = 3

export function planRows({ examples, privacy, seed }: Pick<Brief, 'examples' | 'privacy' | 'seed'>): Rows {
  const rows = examples
    .map(({ input, output }, example) => {
      const normalized = normalize(input)
      const hash = foldOfNormalized(normalized, 2 * FOLDS)
      return { example, key: canonicalize({ input, output })!, normalized, hash }
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  const inputs = new Map<string, number>()
  for (const { normalized } of rows) if (!inputs.has(normalized)) inputs.set(normalized, inputs.size)

  return {
    example: Int32Array.from(rows, row => row.example),
    fold: Int32Array.from(rows, row => row.hash % FOLDS),
    half: Int32Array.from(rows, row => Math.floor(row.hash / FOLDS)),
    input: Int32Array.from(rows, row => inputs.get(row.normalized)!),
    minInputs: privacy === 'full' ? 1 : MIN_INPUTS_PRIVATE,
    seed,
  }
}

/** The examples themselves in the order of the rows. */
export function inRowOrder<Value>({ example }: Rows, values: Value[]): Value[] {
  return Array.from(example, at => values[at]!)
}

/** Values of the rows in the order of the brief's examples. */
export function inExampleOrder<Value>({ example }: Rows, values: Value[]): Value[] {
  const ordered: Value[] = []
  example.forEach((at, row) => {
    ordered[at] = values[row]!
  })
  return ordered
}

export function allRows({ example }: Rows): Int32Array {
  return Int32Array.from(example, (_, row) => row)
}

/** Rows to learn from when `tested` is to be answered, and the rows of that fold. */
export function splitRows(
  { fold }: Pick<Rows, 'fold'>,
  tested: number,
  has?: Uint8Array,
): { train: Int32Array; test: Int32Array } {
  const rows = Int32Array.from(fold, (_, row) => row)
  return {
    train: rows.filter(row => fold[row] !== tested && (!has || has[row])),
    test: rows.filter(row => fold[row] === tested),
  }
}
