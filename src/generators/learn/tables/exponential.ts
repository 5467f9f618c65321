const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const LARGEST = 40
/** 1/13!, 1/12!, … 1/0!: enough where |x| is at most half of ln 2. */
const COEFFICIENTS = inverseFactorials(13)
const POWERS = powersOfTwo(60)

/**
 * e to the power of `x`, between e⁻⁴⁰ and e⁴⁰. Only sums and products, so it is the same to the last bit on every machine, which
 * engines do not promise of their own function; trees grown on its results depend on every bit.
 */
export function exponential(x: number): number {
  const bounded = Math.max(-LARGEST, Math.min(LARGEST, x))
  const power = Math.round(bounded / Math.LN2)
  const rest = bounded - power * LN2_HIGH - power * LN2_LOW
  let sum = COEFFICIENTS[0]!
  for (let at = 1; at < COEFFICIENTS.length; at++) sum = sum * rest + COEFFICIENTS[at]!
  return sum * POWERS[power + 60]!
}

function powersOfTwo(most: number): Float64Array {
  const powers = new Float64Array(2 * most + 1)
  powers[most] = 1
  for (let at = 1; at <= most; at++) {
    powers[most + at] = powers[most + at - 1]! * 2
    powers[most - at] = powers[most - at + 1]! / 2
  }
  return powers
}

function inverseFactorials(most: number): Float64Array {
  const inverses = new Float64Array(most + 1)
  let factorial = 1
  for (let at = 0; at <= most; at++) {
    factorial *= Math.max(1, at)
    inverses[most - at] = 1 / factorial
  }
  return inverses
}
