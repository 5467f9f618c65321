import canonicalize from 'canonicalize'
import type { Example } from './example.ts'
import { isObject, type Json, type JsonObject } from './json.ts'

/** An output with more distinct strings than this is taken as free text rather than as a list of labels. */
const MAX_LABELS = 200

/** Schemas that all examples fit, and sentences that say what was inferred. */
export function inferSchemas(examples: Example[]): { input: JsonObject; output: JsonObject; said: string[] } {
  const input = schemaOf(examples.map(example => example.input))
  const output = outputSchemaOf(examples.map(example => example.output))
  return {
    input,
    output,
    said: [`input_schema: ${canonicalize(input)}`, `output_schema: ${canonicalize(output)}`],
  }
}

const LEAST_ROWS_FOR_IDS = 20

/** Properties that number the rows, beside others that hold texts: each row has a word or a whole number of its own. */
export function findIds(examples: Example[]): string[] {
  if (examples.length < LEAST_ROWS_FOR_IDS) return []
  const inputs = examples.map(example => example.input).filter(isObject) as JsonObject[]
  if (inputs.length < examples.length) return []
  const valuesOf = (name: string) => inputs.map(input => input[name])
  const isText = (value: unknown) => typeof value === 'string' && /\s/.test(value.trim())
  const isName = (value: unknown) =>
    Number.isInteger(value) || (typeof value === 'string' && value !== '' && !isText(value))
  const names = Object.keys(inputs[0]!)
  if (!names.some(name => valuesOf(name).some(isText))) return []
  return names.filter(name => {
    const values = valuesOf(name)
    return values.every(isName) && new Set(values).size === values.length
  })
}

/** Strings that come again are labels, also those in properties and lists. */
function outputSchemaOf(values: Json[]): JsonObject {
  const schema = schemaOf(values)
  if (schema.type === 'array') {
    const items = (values as Json[][]).flat()
    return items.length > 0 ? { ...schema, items: outputSchemaOf(items) } : schema
  }
  if (schema.type === 'object') return objectSchemaOf(values as JsonObject[], outputSchemaOf)
  if (schema.type !== 'string') return schema
  const labels = [...new Set(values as string[])].sort()
  const areLabels = labels.length <= MAX_LABELS && (labels.length <= 2 || labels.length <= values.length / 2)
  return areLabels ? { type: 'string', enum: labels } : schema
}

function schemaOf(values: Json[]): JsonObject {
  const types = [...new Set(values.map(typeName))].sort()
  if (types.includes('number') && types.includes('integer')) types.splice(types.indexOf('integer'), 1)
  const type = types.length === 1 ? types[0]! : types
  if (types.length > 1 || type === 'array') return { type }
  return type === 'object' ? objectSchemaOf(values as JsonObject[]) : { type }
}

function objectSchemaOf(values: JsonObject[], schemaOfProperty = schemaOf): JsonObject {
  const names = [...new Set(values.flatMap(value => Object.keys(value)))]
  const required = names.filter(name => values.every(value => name in value))
  const properties = names.map(name => [
    name,
    schemaOfProperty(values.filter(value => name in value).map(value => value[name]!)),
  ])
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
  }
}

function typeName(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (isObject(value)) return 'object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** A plausible input that fits a schema in the simple cases: to try a program on when there is nothing else. */
export function sampleOf(schema: JsonObject): Json {
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]!
  if (schema.default !== undefined) return schema.default
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0]!
  if (schema.const !== undefined) return schema.const
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object' || isObject(schema.properties)) {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonObject>)
    return Object.fromEntries(properties.map(([name, property]) => [name, sampleOf(property)]))
  }
  if (type === 'integer' || type === 'number') return typeof schema.minimum === 'number' ? schema.minimum : 1
  if (type === 'boolean') return true
  if (type === 'array') return isObject(schema.items) ? [sampleOf(schema.items as JsonObject)] : []
  if (type === 'null') return null
  return 'an example of a text'
}
