import type { ValidateFunction } from 'ajv'
import { LoopaiError } from '../domain/errors.ts'
import type { JsonObject } from '../domain/json.ts'
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
  const ajv = new ajvModule.default({
    strict: false,
    allErrors: false,
    validateFormats: true,
    logger: false,
    ...(usesPatterns(schema) && { code: { regExp: await linearRegExp() } }),
  })
  formatsModule.default(ajv)
  const { $schema: _dialect, ...body } = schema
  try {
    const validate: ValidateFunction = ajv.compile(body)
    return value => (validate(value) ? [] : describeErrors(validate.errors))
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^schema is invalid: /, '').replaceAll('data/', '/')
    throw new LoopaiError('INVALID_SCHEMA', `${name} is not a valid JSON Schema: ${reason}`, {
      hint: 'JSON Schema 2020-12 is described at json-schema.org/draft/2020-12',
      cause,
    })
  }
}

function usesPatterns(schema: unknown): boolean {
  return /"pattern(Properties)?"/.test(JSON.stringify(schema))
}

async function linearRegExp() {
  const { RE2JS } = await import('re2js')
  const engine = (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    return { test: (text: string) => compiled.matcher(text).find() }
  }
  return Object.assign(engine, { code: 'linearRegExp' })
}
