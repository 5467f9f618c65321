import { isObject, type Json, type JsonObject } from '../../domain/json.ts'

/** Property names in the order in which a program reads them, with the order inside each. Emitted as JSON. */
export interface ReadingOrder {
  [property: string]: ReadingOrder
}

/** Numbers beyond this are left out: JavaScript and Python would write them differently. */
const LARGEST_NUMBER = 1e15

/** The order of the input schema's properties; an array is read in the order of its items' schema. */
export function readingOrder(schema: unknown): ReadingOrder {
  if (!isObject(schema)) return {}
  if (isObject(schema.items)) return readingOrder(schema.items)
  const properties = isObject(schema.properties) ? schema.properties : {}
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, readingOrder(inner)]))
}

/**
 * All text of an input, one string a line: properties in reading order, then the rest by name. Booleans and the whole part of
 * numbers enter as words such as `urgent_true` and `amount_12`; null is nothing.
 */
export function textOf(input: Json, order: ReadingOrder): string {
  return [...pieces(input, order, '')].join('\n')
}

export function hasText(input: Json): boolean {
  if (typeof input === 'string') return input.trim() !== ''
  return typeof input === 'object' && input !== null && Object.values(input).some(hasText)
}

function* pieces(value: Json, order: ReadingOrder, name: string): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'boolean') yield `${name}_${value}`
  else if (typeof value === 'number') {
    if (Math.abs(value) < LARGEST_NUMBER) yield `${name}_${Math.floor(value)}`
  } else if (Array.isArray(value)) {
    for (const item of value) yield* pieces(item, order, name)
  } else if (value !== null) {
    for (const key of orderedKeys(value, order))
      yield* pieces(value[key]!, Object.hasOwn(order, key) ? order[key]! : {}, key)
  }
}

function orderedKeys(value: JsonObject, order: ReadingOrder): string[] {
  const known = Object.keys(order).filter(key => Object.hasOwn(value, key))
  const others = Object.keys(value).filter(key => !Object.hasOwn(order, key))
  return [...known, ...others.sort(byCodePoint)]
}

/** As Python sorts. JavaScript's own order is by UTF-16 units, and differs above U+FFFF. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
