/** Most bins of a column, the one for missing values (number 0) not counted. */
export const MOST_BINS = 126
/** How many rows' worth of the overall mean a category's mean is mixed with. */
const SMOOTHING = 5

/** A column of the trainer: numbers with NaN for missing ones, or codes of categories with -1. In shared memory. */
export type Values =
  | { kind: 'number'; numbers: Float64Array }
  | { kind: 'category'; codes: Int32Array; names: string[] }

/** What a program needs to know of a column to find the bin of a value. */
export type Binning =
  /** Bin 1 holds numbers up to the first cut, and so on. */
  | { kind: 'number'; cuts: number[] }
  /** The category at position i has bin i + 1; unknown ones count as missing. */
  | { kind: 'category'; values: string[] }

/** A column as trees see it. */
export interface Binned {
  binning: Binning
  /** Bin of each row. */
  bins: Uint8Array
  /** Bins, the one for missing values included. */
  count: number
  /** For categories: bins (from 1) by lane in the order of the mean goal, in which trees cut them in two. */
  orders?: Uint8Array[]
}

/** Bins that the `fit` rows suggest. `means` gives the goal of a row for each lane. */
export function binColumn(
  values: Values,
  fit: Int32Array,
  { lanes, goal, fewest }: { lanes: number; goal: (row: number, lane: number) => number; fewest: number },
): Binned {
  if (values.kind === 'number') return binNumbers(values.numbers, fit)
  const { codes, names } = values
  const counts = new Int32Array(names.length)
  for (const row of fit) if (codes[row]! >= 0) counts[codes[row]!]!++
  const kept = [...counts.keys()]
    .filter(code => counts[code]! >= fewest)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, MOST_BINS)
  const binOf = new Uint8Array(names.length)
  kept.forEach((code, at) => {
    binOf[code] = at + 1
  })
  const bins = Uint8Array.from(codes, code => (code < 0 ? 0 : binOf[code]!))
  const count = kept.length + 1
  const orders = Array.from({ length: lanes }, (_, lane) =>
    orderOfBins(bins, fit, count, row => goal(row, lane)),
  )
  return { binning: { kind: 'category', values: kept.map(code => names[code]!) }, bins, count, orders }
}

export function binOfNumber(cuts: ArrayLike<number>, value: number): number {
  if (Number.isNaN(value)) return 0
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= cuts[middle]!) high = middle
    else low = middle + 1
  }
  return low + 1
}

function binNumbers(numbers: Float64Array, fit: Int32Array): Binned {
  const sorted = Float64Array.from(fit, row => numbers[row]!)
    .filter(value => !Number.isNaN(value))
    .sort()
  const cuts = cutsOf(sorted)
  const bins = Uint8Array.from(numbers, value => binOfNumber(cuts, value))
  return { binning: { kind: 'number', cuts }, bins, count: cuts.length + 2 }
}

/** Greedy: a value more frequent than an even share gets its own bin, the others share what is left evenly. */
function cutsOf(sorted: Float64Array): number[] {
  const distinct: number[] = []
  const counts: number[] = []
  for (const value of sorted) {
    if (value === distinct.at(-1)) counts[counts.length - 1]!++
    else {
      distinct.push(value)
      counts.push(1)
    }
  }
  const all = distinct.length <= MOST_BINS
  const isFrequent = counts.map(count => count > sorted.length / MOST_BINS)
  const frequent = isFrequent.filter(Boolean).length
  const rest = counts.reduce((sum, count, at) => (isFrequent[at] ? sum : sum + count), 0)
  const share = rest / Math.max(1, MOST_BINS - frequent)
  const cuts: number[] = []
  let held = 0
  for (let at = 0; at + 1 < distinct.length && cuts.length < MOST_BINS - 1; at++) {
    held += counts[at]!
    if (!all && !isFrequent[at] && !isFrequent[at + 1] && held < share) continue
    cuts.push(shortestBetween(distinct[at]!, distinct[at + 1]!))
    held = 0
  }
  return cuts
}

/** A number from `low` up to, but not including, `high`, near the middle and with few digits. */
function shortestBetween(low: number, high: number): number {
  const middle = low / 2 + high / 2
  for (let digits = 1; digits <= 17; digits++) {
    const rounded = Number(middle.toPrecision(digits))
    if (low <= rounded && rounded < high) return rounded
  }
  return low
}

function orderOfBins(
  bins: Uint8Array,
  fit: Int32Array,
  count: number,
  goal: (row: number) => number,
): Uint8Array {
  const sums = new Float64Array(count)
  const rows = new Int32Array(count)
  let all = 0
  for (const row of fit) {
    const own = goal(row)
    all += own
    sums[bins[row]!]! += own
    rows[bins[row]!]!++
  }
  const mean = fit.length === 0 ? 0 : all / fit.length
  const level = (bin: number) => (sums[bin]! + SMOOTHING * mean) / (rows[bin]! + SMOOTHING)
  return Uint8Array.from({ length: count - 1 }, (_, at) => at + 1).sort(
    (a, b) => level(a) - level(b) || a - b,
  )
}
