import type { Matrix } from './matrix.ts'
import { dotRow } from './svm.ts'

/** Weight that every feature has from the start. */
const SMOOTHING = 0.1

/**
 * Complement naive Bayes (Rennie et al. 2003) as the weights of one lane: a feature speaks for a label as far as it is rare in the rows
 * of the others, and against them as far as it is frequent in its own. Scores are brought to the size of margins. `weights` is
 * overwritten.
 */
export function fitBayes(
  matrix: Matrix,
  signs: Float32Array,
  weights: Float32Array,
): { bias: number; work: number } {
  const own = new Float64Array(weights.length).fill(SMOOTHING)
  const others = new Float64Array(weights.length).fill(SMOOTHING)
  for (let row = 0; row < matrix.rows; row++) {
    const sums = signs[row]! > 0 ? own : others
    for (let entry = matrix.start[row]!; entry < matrix.start[row + 1]!; entry++) {
      sums[matrix.column[entry]!]! += matrix.value[entry]!
    }
  }
  const shift = Math.log(sumOf(own)) - Math.log(sumOf(others))
  for (let column = 0; column < weights.length; column++) {
    weights[column] = Math.log(own[column]!) - Math.log(others[column]!) - shift
  }
  let squares = 0
  for (let row = 0; row < matrix.rows; row++) squares += dotRow(matrix, row, weights) ** 2
  const scale = squares > 0 ? 1 / Math.sqrt(squares / matrix.rows) : 0
  for (let column = 0; column < weights.length; column++) weights[column]! *= scale
  return { bias: 0, work: 2 * matrix.column.length }
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}
