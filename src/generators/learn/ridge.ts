import type { Matrix } from './matrix.ts'
import { addRow, createRandom, dotRow, type FitOptions, shuffle } from './svm.ts'

/**
 * Ridge regression, min ½|w|² + C Σ (w·x + b − y)², by coordinate descent in its dual: the same walk as for the support vector
 * machine, but nothing bounds the multipliers. `weights` (one a column) is overwritten.
 */
export function fitRidge(
  matrix: Matrix,
  goals: Float32Array,
  weights: Float32Array,
  { cost, tolerance, maxEpochs, seed }: FitOptions,
): { bias: number; work: number } {
  const { rows, start } = matrix
  const diagonal = 0.5 / cost
  const beta = new Float32Array(rows)
  const order = Int32Array.from({ length: rows }, (_, row) => row)
  const random = createRandom(seed)
  let bias = 0
  let work = 0
  weights.fill(0)

  for (let epoch = 0; epoch < maxEpochs; epoch++) {
    shuffle(order, rows, random)
    let largest = 0
    for (const row of order) {
      const error = bias + dotRow(matrix, row, weights) - goals[row]!
      const gradient = error + beta[row]! * diagonal
      const step = -gradient / (matrix.squaredNorm[row]! + 1 + diagonal)
      largest = Math.max(largest, Math.abs(gradient))
      beta[row]! += step
      bias += step
      addRow(matrix, row, { times: step, weights })
      work += 2 * (start[row + 1]! - start[row]!)
    }
    if (largest <= tolerance) break
  }
  return { bias, work }
}
