import type { ValidateFunction } from 'ajv'
import { LoopaiError } from '../domain/errors.ts'
import { isObject, type Json, type JsonObject } from '../domain/json.ts'
import { pointerSegment } from '../domain/pointer.ts'
import { describeErrors, type Problem } from '../domain/problems.ts'

/** Says what is wrong with a value; empty when it fits. */
export type Validator = (value: unknown) => Problem[]

/**
 * Compiles an app's JSON Schema (2020-12; a draft-07 `$schema` is accepted). Patterns run on a linear-time engine, since a pulled
 * schema may be hostile. `name` is what error messages call it.
 */
export async function compileSchema(schema: JsonObject, name: string): Promise<Validator> {
  const { default: ajvModule } = await import('ajv/dist/2020.js')
  const { default: formatsModule } = await import('ajv-formats')
  const patterns = patternsOf(schema, '')
  const ajv = new ajvModule.default({
    strict: false,
    allErrors: false,
    validateFormats: true,
    logger: false,
    ...(patterns.length > 0 && { code: { regExp: await linearRegExp(patterns, name) } }),
  })
  formatsModule.default(ajv)
  const { $schema: _dialect, ...body } = schema
  if (!ajv.validateSchema(body)) throw invalidSchema(name, describeErrors(ajv.errors)[0]!)
  try {
    const validate: ValidateFunction = ajv.compile(body)
    return value => (validate(value) ? [] : describeErrors(validate.errors))
  } catch (cause) {
    throw invalidSchema(name, { pointer: '', message: (cause as Error).message }, cause)
  }
}

/** The patterns of a schema, each with the pointer to where it stands. */
function patternsOf(value: Json, pointer: string): { pointer: string; pattern: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => {
    const place = `${pointer}/${pointerSegment(key)}`
    if (key === 'pattern' && typeof part === 'string') return [{ pointer: place, pattern: part }]
    const names = key === 'patternProperties' && isObject(part) ? Object.keys(part) : []
    const own = names.map(pattern => ({ pointer: `${place}/${pointerSegment(pattern)}`, pattern }))
    return [...own, ...patternsOf(part, place)]
  })
}

async function linearRegExp(patterns: { pointer: string; pattern: string }[], name: string) {
  const { RE2JS } = await import('re2js')
  const engine = (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.matcher(text).find() }
  }
  for (const { pointer, pattern } of patterns) {
    try {
      engine(pattern)
    } catch (cause) {
      const reason = (cause as Error).message.replace(/^error parsing regexp: /, '')
      const message = `is not a pattern that can be matched in linear time: ${reason}`
      throw invalidSchema(name, { pointer, message }, cause)
    }
  }
  return Object.assign(engine, { code: 'linearRegExp' })
}

function invalidSchema(name: string, { pointer, message }: Problem, cause?: unknown): LoopaiError {
  return new LoopaiError('INVALID_SCHEMA', `${name} is not a valid JSON Schema: ${pointer} ${message}`, {
    hint: 'JSON Schema 2020-12 is described at json-schema.org/draft/2020-12',
    details: { pointer },
    cause,
  })
}
