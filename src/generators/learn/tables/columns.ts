import { isObject, type Json, type JsonObject } from '../../../domain/json.ts'
import { lowerCase } from '../characters.ts'
import { textOf } from '../input-text.ts'
import { replacePrivate } from '../shapes.ts'

/** Where a value is in an input: names of properties and positions in lists. Empty for the input itself. */
export type Path = (string | number)[]

export interface Column {
  path: Path
  kind: 'number' | 'category' | 'text'
}

/** Positions of a list that become columns; longer lists are text. */
const MOST_POSITIONS = 64
const MOST_COLUMNS = 1000
/** A string column is text when it has more distinct values than this, and more than this share of the rows. */
const MANY_VALUES = 30
const MANY_SHARE = 0.2
/** Or when its values are sentences. */
const SENTENCE_WORDS = 4
const NUMERAL = /^[ ]*[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?[ ]*$/
const LARGEST_INTEGER = 1e15

/** The columns in which inputs differ, in the order of the schema, then by name. */
export function planColumns(inputs: Json[], schema: JsonObject): Column[] {
  const columns: Column[] = []
  visit([], inputs, schema)
  return columns.slice(0, MOST_COLUMNS)

  function visit(path: Path, cells: (Json | undefined)[], schema: unknown): void {
    const present = cells.filter(cell => cell !== undefined && cell !== null)
    if (present.length === 0) return
    const declared = isObject(schema) && isObject(schema.properties) ? schema.properties : {}
    if (present.every(isObject)) {
      for (const name of namesOf(present as JsonObject[], declared)) {
        visit(
          [...path, name],
          cells.map(cell => step(cell, name)),
          declared[name],
        )
      }
    } else if (present.every(isVector)) {
      const length = Math.max(...present.map(cell => (cell as Json[]).length))
      for (let at = 0; at < length; at++)
        visit(
          [...path, at],
          cells.map(cell => step(cell, at)),
          {},
        )
    } else {
      const kind = kindOf(present as Json[], schema, path.length === 0)
      if (kind && varies(cells)) columns.push({ path, kind })
    }
  }
}

/** The value at a path, if there is one. */
export function cellOf(input: Json, path: Path): Json | undefined {
  let cell: Json | undefined = input
  for (const key of path) cell = step(cell, key)
  return cell
}

/** NaN for what is no finite number. Numerals count as the number they spell, false as 0 and true as 1. */
export function numberOf(cell: Json | undefined): number {
  if (typeof cell === 'boolean') return cell ? 1 : 0
  const number =
    typeof cell === 'number'
      ? cell
      : typeof cell === 'string' && NUMERAL.test(cell)
        ? Number(cell)
        : Number.NaN
  return Number.isFinite(number) ? number : Number.NaN
}

/** A name of which rows may share one; what could identify somebody is replaced by its kind. */
export function categoryOf(cell: Json | undefined): string | undefined {
  if (typeof cell === 'string') return replacePrivate(lowerCase(cell))
  if (typeof cell === 'boolean') return String(cell)
  if (typeof cell === 'number' && Number.isInteger(cell) && Math.abs(cell) < LARGEST_INTEGER)
    return String(cell)
  return undefined
}

export function textOfCell(cell: Json | undefined): string {
  return cell === undefined ? '' : textOf(cell, {})
}

/** As people write it: `email.subject`, `sizes[2]`. */
export function nameOfPath(path: Path): string {
  return (
    path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('') ||
    'input'
  )
}

function step(cell: Json | undefined, key: string | number): Json | undefined {
  if (typeof key === 'number') return Array.isArray(cell) ? cell[key] : undefined
  return isObject(cell) && Object.hasOwn(cell, key) ? (cell[key] as Json) : undefined
}

function namesOf(cells: JsonObject[], declared: Record<string, unknown>): string[] {
  const present = new Set(cells.flatMap(cell => Object.keys(cell)))
  const known = Object.keys(declared).filter(name => present.has(name))
  const others = [...present].filter(name => !Object.hasOwn(declared, name))
  return [...known, ...others.sort()]
}

/** A list of numbers and booleans, whose positions mean something. */
function isVector(cell: unknown): boolean {
  return (
    Array.isArray(cell) &&
    cell.length <= MOST_POSITIONS &&
    cell.every(item => item === null || typeof item === 'number' || typeof item === 'boolean')
  )
}

function kindOf(present: Json[], schema: unknown, whole: boolean): Column['kind'] | undefined {
  if (present.every(cell => !Number.isNaN(numberOf(cell)))) return 'number'
  if (!present.every(cell => categoryOf(cell) !== undefined)) return 'text'
  const strings = present.filter(cell => typeof cell === 'string')
  if (isObject(schema) && Array.isArray(schema.enum)) return 'category'
  if (whole || isText(strings)) return 'text'
  return 'category'
}

function isText(strings: string[]): boolean {
  const distinct = new Set(strings).size
  const words =
    strings.reduce((sum, text) => sum + text.trim().split(/\s+/).length, 0) / (strings.length || 1)
  if (words >= SENTENCE_WORDS) return true
  return distinct > MANY_SHARE * strings.length && (distinct > MANY_VALUES || distinct > strings.length / 2)
}

function varies(cells: (Json | undefined)[]): boolean {
  const key = (cell: Json | undefined) => (cell === undefined || cell === null ? '' : JSON.stringify(cell))
  const first = key(cells[0])
  return cells.some(cell => key(cell) !== first)
}
