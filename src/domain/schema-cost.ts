import { isObject, type Json, type JsonObject } from './json.ts'

/** Keywords with which a value is looked at once, and no longer than it is. */
const LINEAR = new Set(
  `type properties required items additionalProperties enum const minLength maxLength minimum maximum exclusiveMinimum
  exclusiveMaximum minItems maxItems minProperties maxProperties title description default examples $schema $comment deprecated
  readOnly writeOnly`.split(/\s+/),
)
const MOST_CHOICES = 100

/**
 * What comparing a value with a schema may cost: `linear` in the value's size; `product` of both sizes, or worse for patterns; `unbounded` where
 * references may branch at every level.
 */
export type Cost = 'linear' | 'product' | 'unbounded'

export function costOf(schema: JsonObject): Cost {
  // Most are, and need no second look.
  if (isLinear(schema)) return 'linear'
  return /"\$(?:dynamic)?[rR]ef"/.test(JSON.stringify(schema)) ? 'unbounded' : 'product'
}

function isLinear(schema: Json | undefined): boolean {
  if (!isObject(schema)) return true
  const { properties, items, additionalProperties } = schema as JsonObject
  return (
    Object.keys(schema).every(keyword => LINEAR.has(keyword)) &&
    [schema.enum, [schema.const]].every(isShort) &&
    Object.values(isObject(properties) ? properties : {}).every(isLinear) &&
    isLinear(items) &&
    isLinear(additionalProperties)
  )
}

function isShort(choices: unknown): boolean {
  if (!Array.isArray(choices)) return true
  return (
    choices.length <= MOST_CHOICES && !choices.some(choice => typeof choice === 'object' && choice !== null)
  )
}

/** Whether a value is so small that no schema without references takes long to compare with it. Stops looking as soon as it is not. */
export function isSmall(value: unknown): boolean {
  let left = SMALL
  return fits(value)

  function fits(part: unknown): boolean {
    left -= typeof part === 'string' ? 1 + part.length : 1
    if (left < 0) return false
    if (typeof part !== 'object' || part === null) return true
    for (const name in part) {
      left -= name.length
      if (left < 0 || !fits((part as Record<string, unknown>)[name])) return false
    }
    return true
  }
}

/** Values and characters. */
const SMALL = 4096
