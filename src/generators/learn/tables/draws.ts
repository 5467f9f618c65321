import { createRandom } from '../svm.ts'

/** Of the rows and of the columns, what one tree is grown from. Trees that see different parts err differently, and their sum errs less. */
const ROW_PERCENT = 70
const COLUMN_SHARE = 0.5
const MANY = 1 << 30

export interface Draws {
  rows(): Int32Array
  /** Flags. */
  columns(): Uint8Array
}

/** All rows and columns every time, or a part. The same draws on every machine. */
export function createDraws(rows: Int32Array, columns: number, isSampling: boolean): Draws {
  const all = new Uint8Array(columns).fill(1)
  if (!isSampling) return { rows: () => rows, columns: () => all }
  const random = createRandom(1)
  return {
    rows: () => rows.filter(() => random(100) < ROW_PERCENT),
    columns() {
      const keys = Float64Array.from(all, () => random(MANY))
      const last = keys.slice().sort()[Math.ceil(COLUMN_SHARE * columns) - 1]!
      return Uint8Array.from(keys, key => (key <= last ? 1 : 0))
    },
  }
}
