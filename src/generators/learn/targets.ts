import type { Brief } from '../../domain/draft.ts'
import { LoopaiError } from '../../domain/errors.ts'
import { isObject, type Json, type JsonObject } from '../../domain/json.ts'
import type { Rows } from './rows.ts'

/** One thing to be learned. Arrays have one value a row. */
export type Target = ChoiceTarget | NumberTarget | StringTarget

export interface ChoiceTarget {
  kind: 'choice'
  name: string
  /** Answers that occur, in the order of the schema. */
  labels: Json[]
  /** Position in `labels`. */
  label: Int32Array
}

export interface NumberTarget {
  kind: 'number'
  name: string
  value: Float64Array
  /** Digits after the point that an answer has. */
  decimals: number
  /** The smallest and the largest answer in the examples. */
  least: number
  most: number
}

export interface StringTarget {
  kind: 'string'
  name: string
  value: string[]
}

/** How an output is put together from the answers to the targets. Emitted as JSON. */
export type Shape =
  | { answer: number }
  | { always: Json }
  | { properties: { [name: string]: Shape } }
  /** The labels whose answer is true, in this order. */
  | { labels: [label: Json, shape: Shape][] }

/** Integers without an `enum` are labels when the schema allows at most this many. */
const MOST_INTEGERS = 150
const MOST_LABELS = 1000
const OTHER_GENERATORS =
  'let a language model write it with: loopai generate <app> --generator llm, an agent with: --generator command, or write it yourself with: --generator template'

/** What an output schema and the outputs (one a row) demand. Refuses what no strategy can learn. */
export function planTargets(
  outputs: Json[],
  { example }: Pick<Rows, 'example'>,
  { id, output_schema }: Pick<Brief['app'], 'id' | 'output_schema'>,
): { targets: Target[]; shape: Shape } {
  const targets: Target[] = []
  const shape = shapeOf({ outputs, example, schema: output_schema, name: '' })
  if (targets.length === 0) refuseConstant(outputs, output_schema, id)
  return { targets, shape }

  function shapeOf(part: Part): Shape {
    const { outputs, schema } = part
    if (isObject(schema.properties) || (schema.type === 'object' && outputs.every(isObject)))
      return objectShape(part)
    if (schema.type === 'array' && isObject(schema.items)) return listShape(part, schema.items)
    const distinct = new Set(outputs)
    const target = targetOf(part)
    if (distinct.size === 1) return { always: outputs[0]! }
    return { answer: targets.push(target) - 1 }
  }

  function objectShape({ outputs, schema, name, example }: Part): Shape {
    const properties = isObject(schema.properties) ? schema.properties : {}
    const used = Object.keys(properties).filter(key =>
      outputs.some(output => isObject(output) && Object.hasOwn(output, key)),
    )
    if (used.length === 0) throw unsupported('an object without known properties', name)
    const shapes = used.map(key => {
      const place = name === '' ? key : `${name}.${key}`
      const values = outputs.map((output, row) => {
        if (isObject(output) && Object.hasOwn(output, key)) return (output as JsonObject)[key]!
        throw invalid(
          example[row]!,
          `lacks ${place} in its output, which others have`,
          `give every example ${place}`,
        )
      })
      const inner = properties[key]
      return [
        key,
        shapeOf({ outputs: values, example, schema: isObject(inner) ? inner : {}, name: place }),
      ] as const
    })
    return { properties: Object.fromEntries(shapes) }
  }

  function listShape({ outputs, name, example }: Part, items: JsonObject): Shape {
    const labels = possibleAnswers(items)
    if (!labels) throw unsupported(`a list of ${nameOf(items)}`, name)
    outputs.forEach((output, row) => {
      const foreign = Array.isArray(output) ? output.find(label => !labels.includes(label)) : output
      if (foreign !== undefined)
        throw invalid(
          example[row]!,
          'has a label that the schema does not allow',
          `one of ${shorten(labels)}`,
        )
    })
    return {
      labels: inUsualOrder(labels, outputs as Json[][]).map(label => {
        const has = outputs.map(output => (output as Json[]).includes(label))
        const place = `${name === '' ? '' : `${name}: `}${typeof label === 'string' ? label : JSON.stringify(label)}`
        return [label, shapeOf({ outputs: has, example, schema: { type: 'boolean' }, name: place })]
      }),
    }
  }
}

/** As the examples list them: by mean position, and in the order of the schema where that is the same. */
function inUsualOrder(labels: Json[], lists: Json[][]): Json[] {
  const placeOf = (label: Json) => {
    const places = lists.filter(list => list.includes(label)).map(list => list.indexOf(label))
    return places.reduce((sum, place) => sum + place, 0) / (places.length || 1)
  }
  const places = new Map(labels.map(label => [label, placeOf(label)]))
  return [...labels].sort((a, b) => places.get(a)! - places.get(b)!)
}

interface Part {
  outputs: Json[]
  /** Position in the brief's examples, by output. */
  example: Int32Array
  schema: JsonObject
  /** Where it is in the output; empty for the output itself. */
  name: string
}

function targetOf({ outputs, schema, name, example }: Part): Target {
  const possible = possibleAnswers(schema)
  if (possible) {
    const at = new Map(possible.map((label, i) => [label, i]))
    const wrong = outputs.findIndex(output => !at.has(output))
    if (wrong >= 0)
      throw invalid(
        example[wrong]!,
        'has an output that the schema does not allow',
        `one of ${shorten(possible)}`,
      )
    const used = new Set(outputs)
    const labels = possible.filter(label => used.has(label))
    const position = new Map(labels.map((label, i) => [label, i]))
    return { kind: 'choice', name, labels, label: Int32Array.from(outputs, output => position.get(output)!) }
  }
  if (isNumeric(schema)) {
    const wrong = outputs.findIndex(output => typeof output !== 'number')
    if (wrong >= 0)
      throw invalid(example[wrong]!, 'has an output that is no number', 'the schema asks for one')
    return numberTarget(outputs as number[], schema, name)
  }
  if (schema.type === 'string') {
    const wrong = outputs.findIndex(output => typeof output !== 'string')
    if (wrong >= 0)
      throw invalid(example[wrong]!, 'has an output that is no text', 'the schema asks for a string')
    return { kind: 'string', name, value: outputs as string[] }
  }
  throw unsupported(nameOf(schema), name)
}

function numberTarget(outputs: number[], schema: JsonObject, name: string): NumberTarget {
  const value = Float64Array.from(outputs)
  const least = value.reduce((a, b) => Math.min(a, b))
  const most = value.reduce((a, b) => Math.max(a, b))
  const decimals =
    schema.type === 'integer' ? 0 : Math.min(decimalsOf(value), decimalsWorthHaving(most - least))
  return { kind: 'number', name, value, decimals, least, most }
}

function decimalsOf(values: Float64Array): number {
  return values.reduce((most, value) => {
    const [digits, exponent = '0'] = String(value).split('e')
    return Math.max(most, (digits!.split('.')[1]?.length ?? 0) - Number(exponent))
  }, 0)
}

/** Six digits of the range that answers are from. */
function decimalsWorthHaving(range: number): number {
  let decimals = 0
  for (let left = range; left > 0 && left < 1e6 && decimals < 15; left *= 10) decimals++
  return decimals
}

/** Every answer that a schema allows, when that is a list of plain values. */
function possibleAnswers(schema: JsonObject): Json[] | undefined {
  if (Array.isArray(schema.enum)) {
    const plain = schema.enum.every(value => typeof value !== 'object' || value === null)
    return plain && schema.enum.length <= MOST_LABELS ? schema.enum : undefined
  }
  if (schema.type === 'boolean') return [false, true]
  const { minimum, maximum } = schema
  if (schema.type === 'integer' && typeof minimum === 'number' && typeof maximum === 'number') {
    const count = Math.floor(maximum) - Math.ceil(minimum) + 1
    if (count <= MOST_INTEGERS) return Array.from({ length: count }, (_, i) => Math.ceil(minimum) + i)
  }
  return undefined
}

function isNumeric({ type, enum: values }: JsonObject): boolean {
  return values === undefined && (type === 'number' || type === 'integer')
}

function refuseConstant(outputs: Json[], schema: JsonObject, id: string): never {
  const used = new Set(outputs)
  const missing = (possibleAnswers(schema) ?? []).filter(value => !used.has(value))
  const hint =
    missing.length === 0
      ? 'a program that always gives one answer needs no learning'
      : `add examples of ${shorten(missing)}`
  const label = typeof outputs[0] === 'object' ? 'same output' : `label ${JSON.stringify(outputs[0])}`
  throw new LoopaiError('NOT_ENOUGH_EXAMPLES', `all examples of ${id} have the ${label}`, { hint })
}

function unsupported(what: string, name: string): LoopaiError {
  const place = name === '' ? 'this output' : `${name} in the output`
  const message = `the learner gives fixed answers (an enum, integers, booleans), numbers, texts cut from the input, objects and lists of these; ${place} is ${what}`
  return new LoopaiError('UNSUPPORTED', message, { hint: OTHER_GENERATORS })
}

/** Free text for which no program was found. */
export function unknownText({ name, value }: StringTarget): LoopaiError {
  const place = name === '' ? 'the output' : `${name} in the output`
  const message = `no small program makes ${place} of all ${value.length} examples from their input`
  const distinct = new Set(value).size
  const hint =
    distinct <= value.length / 2
      ? `if only these ${distinct} answers are possible, list them as an enum in output_schema; else ${OTHER_GENERATORS}`
      : OTHER_GENERATORS
  return new LoopaiError('UNSUPPORTED', message, { hint })
}

function invalid(example: number, what: string, hint: string): LoopaiError {
  return new LoopaiError('INVALID_EXAMPLES', `example ${example + 1} ${what}`, { hint })
}

function nameOf(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return 'an enum with objects or lists in it'
  if (typeof schema.type !== 'string') return 'of no single type'
  return /^[aeio]/.test(schema.type) ? `an ${schema.type}` : `a ${schema.type}`
}

function shorten(values: Json[]): string {
  const shown = values.slice(0, 5).map(value => JSON.stringify(value))
  return values.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}
