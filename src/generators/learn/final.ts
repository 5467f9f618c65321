import type { Progress } from '../../domain/draft.ts'
import type { Features, Names } from './features.ts'
import type { Effort, FitTask, Setting } from './fit.ts'
import { type Columns, chooseColumns } from './matrix.ts'
import { encodeFeatures, type LinearModel } from './model.ts'
import { fitWeights, type LinearCrew, measureImportance } from './models.ts'

const EFFORT: Effort = { tolerance: 0.1, maxEpochs: 100 }
/** Enough to tell which features matter. */
const ROUGH: Effort = { tolerance: 0.5, maxEpochs: 8 }
/** The program spreads a row of weights over this many bytes a lane (and 14 lanes' worth for the rest) when it is first used. */
const MOST_LANES = 9e6
const FEWEST_FEATURES = 20_000
/** A Python reads as many in less than 100 ms. */
const MOST_FEATURES = 100_000
/** Share of the weights that int8 holds exactly; the few beyond are clipped. */
const CLIP_QUANTILE = 0.9995
const LARGEST = 127
/** With many labels most weights are next to nothing. They decide nothing together, and without them a row is half as long. */
const MANY_LANES = 16
const NEXT_TO_NOTHING = 2

export interface FinalFit {
  crew: LinearCrew
  features: Features
  names: Names
  setting: Setting
  /** Rows to learn from. */
  train: Int32Array
  /** Lowers the effort where rows and labels are so many that a fit would take minutes. */
  afford: (effort: Effort) => Effort
  report: (progress: Progress) => void
  /** Of the model in JSON. */
  mostBytes: number
}

/** Fits all rows, keeps the features that matter, fits again, and rounds the weights to int8. Repeated with fewer while it is too large. */
export async function fitFinal(fit: FinalFit): Promise<LinearModel> {
  const { crew, features, setting, train, mostBytes, report } = fit
  const columns = chooseColumns(features, train, { use: setting.use })
  let most = Math.max(FEWEST_FEATURES, Math.min(MOST_FEATURES, Math.floor(MOST_LANES / (crew.lanes + 14))))
  let importance: Float64Array | undefined
  for (;;) {
    if (columns.size > most && !importance) {
      report({ stage: 'choosing features', done: 0, total: 1 })
      const effort = fit.afford(ROUGH)
      importance = await measureImportance(crew, { setting, effort, train, name: 'all rows' })
    }
    report({ stage: 'learning from all examples', done: 0, total: 1 })
    const fitted = await fitKept(fit, importance && keepLargest(columns, importance, most))
    const bytes = Buffer.byteLength(JSON.stringify(encodeFeatures(fitted)))
    if (bytes <= mostBytes) return fitted
    most = Math.floor((0.9 * fitted.documents.length * mostBytes) / bytes)
  }
}

async function fitKept(
  { crew, afford, features, names, setting, train }: FinalFit,
  keep: FitTask['keep'],
): Promise<LinearModel> {
  const columns = chooseColumns(features, train, { use: setting.use, ...(keep && { keep }) })
  const name = `${columns.size} features`
  const request = { setting, effort: afford(EFFORT), train, name, ...(keep && { keep }) }
  const { weights, biases } = await fitWeights(crew, request)
  return {
    rows: train.length,
    counting: setting.counting ?? 'words',
    biases: Array.from(biases, sixDigits),
    words: namesOf(names.words, columns.words),
    chars: namesOf(names.chars, columns.chars),
    documents: columns.documents,
    ...quantize(weights, columns, crew.lanes),
  }
}

/** Flags for the features of the `most` most important columns (more when there are ties). */
function keepLargest(columns: Columns, importance: Float64Array, most: number): FitTask['keep'] {
  const threshold = Float64Array.from(importance).sort()[importance.length - most]!
  const flag = (columnOf: Int32Array) =>
    Uint8Array.from(columnOf, column => (column >= 0 && importance[column]! >= threshold ? 1 : 0))
  return { words: flag(columns.words), chars: flag(columns.chars) }
}

/** `weights`: one row a lane, one value a column. The result is the other way round, with idf multiplied in. */
function quantize(weights: Float32Array, { size, firstChar, idf }: Columns, lanes: number) {
  const rounded = new Int8Array(size * lanes)
  const block = (from: number, to: number) => {
    const scale = scaleOf(weights, { from, to, size, lanes, idf })
    for (let column = from; column < to; column++) {
      for (let lane = 0; lane < lanes; lane++) {
        const units = Math.round((weights[lane * size + column]! * idf[column]!) / scale)
        if (lanes >= MANY_LANES && Math.abs(units) <= NEXT_TO_NOTHING) continue
        rounded[column * lanes + lane] = Math.max(-LARGEST, Math.min(LARGEST, units))
      }
    }
    return scale
  }
  return { wordScale: block(0, firstChar), charScale: block(firstChar, size), weights: rounded }
}

/** Size of one unit of the int8 weights of a block of columns. */
function scaleOf(
  weights: Float32Array,
  {
    from,
    to,
    size,
    lanes,
    idf,
  }: { from: number; to: number; size: number; lanes: number; idf: Float32Array },
): number {
  const sizes = new Float32Array((to - from) * lanes)
  let used = 0
  for (let lane = 0; lane < lanes; lane++) {
    for (let column = from; column < to; column++) {
      const weight = Math.abs(weights[lane * size + column]! * idf[column]!)
      if (weight > 0) sizes[used++] = weight
    }
  }
  if (used === 0) return 1
  const sorted = sizes.subarray(0, used).sort()
  return sixDigits(sorted[Math.min(used - 1, Math.floor(used * CLIP_QUANTILE))]! / LARGEST)
}

/** Names of the features that have a column, by column. Columns are numbered in the order of the features. */
function namesOf(names: string[], columnOf: Int32Array): string[] {
  return names.filter((_, feature) => columnOf[feature]! >= 0)
}

function sixDigits(value: number): number {
  return Number(value.toPrecision(6))
}
