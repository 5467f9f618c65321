/** Turns scores into probabilities. */
export interface Calibration {
  sharpness: number
  /** Only for two labels. */
  shift: number
}

const SHARPNESS = Array.from({ length: 33 }, (_, i) => Number((2 ** (i / 4 - 2)).toPrecision(4)))
const SHIFTS = Array.from({ length: 49 }, (_, i) => (i - 24) / 8)

/**
 * The sharpness and shift with the least log-loss on out-of-fold scores (one row a row, one value a lane; rows with NaN are left
 * out). A grid instead of Newton's method: its answer does not hang on the last bit of a logarithm. As in Platt scaling, every row
 * counts a little for the other labels, so that a few rows without a mistake do not make it certain.
 */
export function calibrate(scores: Float32Array, label: Int32Array, lanes: number): Calibration {
  const known = Int32Array.from(label, (_, row) => row).filter(row => !Number.isNaN(scores[row * lanes]))
  const doubt = 1 / (known.length + 2)
  const lossOf =
    lanes === 1
      ? ({ sharpness, shift }: Calibration) => binaryLoss(sharpness, shift)
      : ({ sharpness }: Calibration) => softmaxLoss(sharpness)

  let best = { sharpness: 1, shift: 0 }
  let least = Infinity
  for (const shift of lanes === 1 ? SHIFTS : [0]) {
    for (const sharpness of SHARPNESS) {
      const loss = lossOf({ sharpness, shift })
      if (loss < least) [least, best] = [loss, { sharpness, shift }]
    }
  }
  return best

  function binaryLoss(sharpness: number, shift: number): number {
    let loss = 0
    for (const row of known) {
      const logit = sharpness * scores[row]! + shift
      const margin = label[row] === 1 ? logit : -logit
      loss += Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(0, -margin) + doubt * margin
    }
    return loss
  }

  function softmaxLoss(sharpness: number): number {
    let loss = 0
    for (const row of known) {
      const own = scores.subarray(row * lanes, (row + 1) * lanes)
      const most = own.reduce((a, b) => Math.max(a, b))
      let sum = 0
      let others = -own[label[row]!]!
      for (const score of own) {
        sum += Math.exp(sharpness * (score - most))
        others += score
      }
      const target = (1 - doubt) * own[label[row]!]! + (doubt * others) / (lanes - 1)
      loss += Math.log(sum) + sharpness * (most - target)
    }
    return loss
  }
}
