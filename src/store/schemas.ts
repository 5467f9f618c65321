import type { ValidateFunction } from 'ajv'
import { LoopaiError } from '../domain/errors.ts'
import { isNestedDeeper, isObject, type Json, type JsonObject } from '../domain/json.ts'
import { pointerSegment } from '../domain/pointer.ts'
import { describeErrors, type Problem } from '../domain/problems.ts'
import { findEndless } from '../domain/recursion.ts'
import { costOf, isSmall } from '../domain/schema-cost.ts'
import { sha256 } from '../domain/sha256.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { cacheFact, findFact } from './cache.ts'
import { OutOfTime, within } from './time-limit.ts'
import { findTwins, TWINS, uniqueItems } from './unique-items.ts'

/** Says what is wrong with a value; empty when it fits. */
export type Validator = (value: unknown) => Problem[]

/** What the code of a schema depends on beside the schema. The number goes up when the same schema is compiled to other code. */
const COMPILER = `${LOOPAI_VERSION} 4 `

/** A server compares in its own thread: nobody else is answered meanwhile. */
const TIME_MS = 500

/**
 * Compiles an app's JSON Schema (2020-12; a draft-07 `$schema` is accepted). Patterns and `uniqueItems` take linear time, and
 * whatever takes long is given up, since a pulled schema or an input may be hostile. `name` is what error messages call it. The compiled
 * code is cached: loading the compiler takes longer than starting a program.
 */
export async function compileSchema(schema: JsonObject, name: string): Promise<Validator> {
  refuseDeep(schema, name)
  const text = JSON.stringify(schema)
  const fact = `schemas/${sha256(text).slice(0, 32)}`
  const known = findFact(fact, COMPILER + text)
  const cached = typeof known === 'string' ? await load(known).catch(() => undefined) : undefined
  const validate = cached ?? (await compile(schema, name, cache))
  const cost = costOf(schema)
  const judge = (value: unknown) => (validate(value) ? [] : describeErrors(validate.errors))
  return value => {
    const isQuick = cost === 'linear' || (cost === 'product' && isSmall(value))
    try {
      return isQuick ? judge(value) : within(TIME_MS, () => judge(value))
    } catch (error) {
      if (error instanceof OutOfTime)
        return [{ pointer: '', message: `takes longer than ${TIME_MS} ms to compare with its schema` }]
      if (!(error instanceof RangeError)) throw error
      return [{ pointer: '', message: 'is nested too deep for its schema' }]
    }
  }

  function cache(code: string) {
    cacheFact(fact, COMPILER + text, code)
  }
}

async function compile(
  schema: JsonObject,
  name: string,
  keep: (code: string) => void,
): Promise<ValidateFunction> {
  const [{ default: ajvModule }, { default: formatsModule }, { default: standalone }] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
    import('ajv/dist/standalone/index.js'),
  ])
  const patterns = patternsOf(schema, '')
  const regExp = patterns.length > 0 ? await linearRegExp() : undefined
  for (const pattern of patterns) checkPattern(regExp!, pattern, name)
  const ajv = new ajvModule.default({
    strict: false,
    allErrors: false,
    validateFormats: true,
    logger: false,
    code: { source: true, ...(regExp && { regExp }) },
  })
  formatsModule.default(ajv)
  ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems(ajvModule))
  const { $schema: _dialect, ...body } = schema
  if (!ajv.validateSchema(body)) throw invalidSchema(name, describeErrors(ajv.errors)[0]!)
  try {
    refuseEndless(body, name)
    const validate = ajv.compile(body)
    keep(standalone.default(ajv, validate))
    return validate
  } catch (cause) {
    if (cause instanceof LoopaiError) throw cause
    throw invalidSchema(name, { pointer: '', message: (cause as Error).message }, cause)
  }
}

/** Deeper ones would be a config.yaml that cannot be read, and one that the compiler has no stack for. */
export function refuseDeep(schema: JsonObject, name: string): void {
  if (!isNestedDeeper(schema, MAX_LEVELS)) return
  throw invalidSchema(name, { pointer: '', message: `is nested more than ${MAX_LEVELS} levels deep` })
}

const MAX_LEVELS = 90

function refuseEndless(schema: JsonObject, name: string): void {
  const pointer = findEndless(schema)
  if (pointer === undefined) return
  const message = 'leads back to itself without going into the value; refer to it from properties or items'
  throw invalidSchema(name, { pointer, message })
}

/** What compiled code asks for by the name of its module. */
const PARTS: Record<string, () => Promise<{ default: unknown }>> = {
  'ajv/dist/runtime/equal': () => import('ajv/dist/runtime/equal.js'),
  'ajv/dist/runtime/ucs2length': () => import('ajv/dist/runtime/ucs2length.js'),
  'ajv-formats/dist/formats': () => import('ajv-formats/dist/formats.js'),
  [TWINS]: async () => ({ default: findTwins }),
}

/** Makes a function of compiled code that we have written ourselves, into a folder that only the user may write. */
async function load(code: string): Promise<ValidateFunction> {
  const names = Object.keys(PARTS).filter(part => code.includes(`require("${part}")`))
  const modules = await Promise.all(names.map(async part => (await PARTS[part]!()).default))
  // Whoever loads it, a module may come as its own default or with one.
  const parts = new Map(modules.map((part, i) => [names[i], { default: part, ...(part as object) }]))
  const regExp = code.includes(ENGINE) ? await linearRegExp() : undefined
  const target = { exports: {} as ValidateFunction }
  new Function('module', 'require', ENGINE, code)(target, (part: string) => parts.get(part), regExp)
  return target.exports
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

type Engine = Awaited<ReturnType<typeof linearRegExp>>

/** How compiled code calls the engine. */
const ENGINE = 'linearRegExp'

async function linearRegExp() {
  const { RE2JS } = await import('re2js')
  const engine = (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    // The compiler takes patterns of the same name for the same.
    return { test: (text: string) => compiled.matcher(text).find(), toString: () => pattern }
  }
  return Object.assign(engine, { code: ENGINE })
}

function checkPattern(
  engine: Engine,
  { pointer, pattern }: { pointer: string; pattern: string },
  name: string,
) {
  try {
    engine(pattern)
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^error parsing regexp: /, '')
    const message = `is not a pattern that can be matched in linear time: ${reason}`
    throw invalidSchema(name, { pointer, message }, cause)
  }
}

function invalidSchema(name: string, { pointer, message }: Problem, cause?: unknown): LoopaiError {
  return new LoopaiError(
    'INVALID_SCHEMA',
    `${name} is not a valid JSON Schema: ${[pointer, message].filter(Boolean).join(' ')}`,
    {
      hint: 'JSON Schema 2020-12 is described at json-schema.org/draft/2020-12',
      details: { pointer },
      cause,
    },
  )
}
