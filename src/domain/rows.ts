import type { Example } from './example.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

/** Which columns of a row are the input and which is the answer. */
export interface Columns {
  /** Column of the answer. */
  label?: string | undefined
  /** Input property by column: `{ message: 'text' }` makes the column `message` the property `text`. */
  map?: Record<string, string> | undefined
  /** Is told of each row that has columns, and which of them was taken as the answer. */
  seen?: ((row: JsonObject, label: string) => void) | undefined
}

/** The same columns, and after rows were read with them, sentences on what was taken for what without being told. */
export function watchColumns(columns: Columns = {}): { columns: Columns; said: () => string[] } {
  const labels = new Set<string>()
  const dropped = new Set<string>()
  const commas = watchCommas()
  const seen = (row: JsonObject, label: string) => {
    labels.add(label)
    commas.look(row)
    if (!columns.map) return
    for (const name of Object.keys(row)) {
      if (name !== label && !Object.hasOwn(columns.map, name)) dropped.add(name)
    }
  }
  return {
    columns: { ...columns, seen },
    said: () => {
      const texts = new Set(commas.found().filter(name => !dropped.has(name)))
      return [
        ...(columns.label === undefined && labels.size > 0
          ? [`took the column ${list(labels)} as the answer; --label names another one`]
          : []),
        ...(dropped.size > 0 ? [`left out ${list(dropped)}: --map names the columns of the input`] : []),
        ...(texts.size > 0
          ? [
              `took ${list(texts)} as text: the values look like numbers with a comma; write 1234.5 for a number`,
            ]
          : []),
      ]
    },
  }
}

/** A number with a decimal comma, or with commas (or points, and a decimal comma) between the thousands. */
const COMMA = /^[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+)$/

/** Finds the columns of text in which every value is such a number, or one without a comma. */
function watchCommas() {
  const hasCommas = new Map<string, boolean>()
  return {
    look(row: JsonObject) {
      for (const [name, value] of Object.entries(row)) {
        if (hasCommas.get(name) === false || typeof value !== 'string' || value === '') continue
        if (COMMA.test(value)) hasCommas.set(name, true)
        else if (Number.isNaN(Number(value))) hasCommas.set(name, false)
      }
    },
    found: () => [...hasCommas.keys()].filter(name => hasCommas.get(name)),
  }
}

function list(names: Set<string>): string {
  const all = [...names]
  return all.length > SHOWN
    ? `${all.slice(0, SHOWN).join(', ')} and ${all.length - SHOWN} more`
    : all.join(', ')
}

const SHOWN = 10

/** Names that a column with the answers usually has, best first. */
const LABEL_NAMES = [
  'output',
  'label',
  'labels',
  'category',
  'class',
  'target',
  'answer',
  'sentiment',
  'intent',
  'tag',
]

/** The column that holds the answers: the named one, else one with a usual name, else none. */
export function findLabelColumn(names: string[], named?: string): string | undefined {
  if (named !== undefined) return names.includes(named) ? named : undefined
  return LABEL_NAMES.map(usual => names.find(name => name.toLowerCase() === usual)).find(
    name => name !== undefined,
  )
}

/** Reads a row as an example: `{"input", "output"}` as it is, anything flat by its columns. `undefined` when there is no answer in it: an empty cell is none. */
export function exampleOfRow(row: Json, columns: Columns = {}): Example | undefined {
  if (!isObject(row)) return undefined
  if (!columns.label && !columns.map && 'input' in row && 'output' in row) {
    return { input: row.input as Json, output: row.output as Json }
  }
  const label = findLabelColumn(Object.keys(row), columns.label)
  if (label === undefined) return undefined
  const output = (row as JsonObject)[label]!
  if (output === '' || output === null) return undefined
  columns.seen?.(row as JsonObject, label)
  const rest = Object.entries(row as JsonObject).filter(([name]) => name !== label)
  const input = columns.map
    ? rest
        .filter(([name]) => Object.hasOwn(columns.map!, name))
        .map(([name, value]) => [columns.map![name]!, value])
    : rest
  return { input: Object.fromEntries(input), output }
}

/** Columns of a table whose cells stay text, whatever they look like: the schemas want strings there. */
export function textColumns(
  names: string[],
  { schemas, ...columns }: Columns & { schemas?: { input: JsonObject; output: JsonObject } | undefined },
): Set<string> {
  if (!schemas) return new Set()
  const label = findLabelColumn(names, columns.label)
  const properties = isObject(schemas.input.properties) ? schemas.input.properties : {}
  const schemaOf = (name: string) =>
    name === label ? schemas.output : properties[columns.map?.[name] ?? name]
  return new Set(names.filter(name => wantsText(schemaOf(name))))
}

function wantsText(schema: unknown): boolean {
  if (!isObject(schema)) return false
  if (schema.type === 'string') return true
  return Array.isArray(schema.enum) && schema.enum.every(value => typeof value === 'string')
}
