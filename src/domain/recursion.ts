import { isObject, type Json, type JsonObject } from './json.ts'
import { pointerSegment } from './pointer.ts'

/** Keywords whose schemas judge the same value as the schema that they stand in. */
const SAME_VALUE = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else']
const SAME_VALUE_BY_NAME = ['dependentSchemas', 'dependencies']
const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef']
/** Keywords that hold values and no schemas. */
const VALUES = ['const', 'enum', 'default', 'examples']

/**
 * The pointer of a schema that leads back to itself without going into the value, if there is one: judging a value by it would not end. A
 * tree, whose nodes are schemas of properties or items, does end. References that leave the schema are not followed.
 */
export function findEndless(root: JsonObject): string | undefined {
  const places = new Map<JsonObject, string>()
  const named = new Map<string, JsonObject>()
  collect(root, '')
  const done = new Set<JsonObject>()
  const open = new Set<JsonObject>()
  for (const [schema, place] of places) if (returns(schema)) return place
  return undefined

  function collect(value: Json, place: string): void {
    if (typeof value !== 'object' || value === null) return
    if (isObject(value)) {
      places.set(value, place)
      for (const key of ['$anchor', '$dynamicAnchor']) named.set(`#${value[key]}`, value)
      if (typeof value.$id === 'string') named.set(value.$id.replace(/#$/, ''), value)
    }
    for (const [key, part] of Object.entries(value)) {
      if (!VALUES.includes(key)) collect(part, `${place}/${pointerSegment(key)}`)
    }
  }

  function returns(schema: JsonObject): boolean {
    if (open.has(schema)) return true
    if (done.has(schema)) return false
    open.add(schema)
    const isEndless = nextOf(schema).some(returns)
    open.delete(schema)
    done.add(schema)
    return isEndless
  }

  /** What judges the same value next. */
  function nextOf(schema: JsonObject): JsonObject[] {
    const direct = SAME_VALUE.flatMap(key => schema[key] ?? [])
    const byName = SAME_VALUE_BY_NAME.flatMap(key =>
      isObject(schema[key]) ? Object.values(schema[key]) : [],
    )
    const referred = REFERENCES.map(key => target(schema[key]))
    return [...direct, ...byName, ...referred].filter(isObject) as JsonObject[]
  }

  function target(reference: Json | undefined): Json | undefined {
    if (typeof reference !== 'string') return undefined
    const [file = '', fragment = ''] = reference.split('#')
    const base = file === '' ? root : named.get(file)
    if (fragment === '') return base
    if (!fragment.startsWith('/')) return named.get(`#${fragment}`)
    return fragment.slice(1).split('/').reduce<Json | undefined>(step, base)
  }
}

function step(value: Json | undefined, segment: string): Json | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const name = unescaped(segment)
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return segment
  }
}
