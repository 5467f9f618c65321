import type { Counting } from './matrix.ts'

/**
 * A linear model of text features, which are numbered through: words and pairs first, then character sequences. A score is a lane's
 * bias plus, for each block, the sum of the weights of what was found, divided by the block's norm.
 */
export interface LinearModel {
  /** Rows it was learned from. */
  rows: number
  counting: Counting
  /** One a lane. */
  biases: number[]
  words: string[]
  chars: string[]
  /** Rows that have a feature. */
  documents: Int32Array
  /** Feature by feature, one value a lane, in units of the block's scale. Inverse document frequency is multiplied in. */
  weights: Int8Array
  wordScale: number
  charScale: number
}

type FeatureTable = Pick<LinearModel, 'documents' | 'words' | 'chars' | 'weights' | 'biases'>

/** In stored rows a weight is kept as weight + 128. */
const ZERO = 128
const FARTHEST = 255

/** As it is kept in `model.json`. */
export function encodeLinear(model: LinearModel) {
  const { biases, rows, counting, wordScale, charScale } = model
  return { biases, scales: [wordScale, charScale], rows, counting, ...encodeFeatures(model) }
}

/**
 * The features, which is nearly all of the file. Weights are not compressed with zlib, because its builds give different bytes for the
 * same input, and a version must have the same digest on every machine. Most weights are 0, so `encodeRow` leaves them out.
 */
export function encodeFeatures({ documents, words, chars, weights, biases }: FeatureTable) {
  const lanes = biases.length
  const rows = Array.from(documents, (_, feature) =>
    encodeRow(weights.subarray(feature * lanes, (feature + 1) * lanes)),
  )
  return {
    documents: [...documents],
    words,
    chars,
    lengths: rows.map(row => row.length),
    weights: Buffer.concat(rows).toString('base64'),
  }
}

/**
 * One row of weights: a byte for each lane where that is shortest, else for each weight that is not 0 two bytes, its distance from
 * the lane of the previous one (from -1 for the first) and itself. A distance above 255 is bridged by weights of 0.
 */
function encodeRow(weights: Int8Array): Uint8Array {
  const pairs: number[] = []
  let previous = -1
  weights.forEach((weight, lane) => {
    if (weight === 0) return
    for (; lane - previous > FARTHEST; previous += FARTHEST) pairs.push(FARTHEST, ZERO)
    pairs.push(lane - previous, weight + ZERO)
    previous = lane
  })
  return pairs.length < weights.length
    ? Uint8Array.from(pairs)
    : Uint8Array.from(weights, weight => weight + ZERO)
}
