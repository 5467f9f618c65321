import type { ErrorObject } from 'ajv'
import { distance } from 'fastest-levenshtein'
import { pointerSegment } from './pointer.ts'

/** What is wrong with a value, and where: `pointer` is a JSON pointer, empty for the value itself. */
export interface Problem {
  pointer: string
  message: string
}

/** Turns a validator's errors into sentences. An unknown key comes with the known one that it resembles. */
export function describeErrors(errors: ErrorObject[] | null | undefined): Problem[] {
  const problems = (errors ?? []).filter(error => error.keyword !== 'if').map(describe)
  return problems.filter(
    (a, i) => problems.findIndex(b => b.pointer === a.pointer && b.message === a.message) === i,
  )
}

/** The known word that a mistyped one most resembles, if any comes close. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  const ranked = [...known].map(candidate => ({
    candidate,
    far: distance(word.toLowerCase(), candidate.toLowerCase()),
  }))
  ranked.sort((a, b) => a.far - b.far)
  const best = ranked[0]
  return best && best.far <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined
}

function describe(error: ErrorObject): Problem {
  const { keyword, params, instancePath: pointer } = error
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const name: string = params.additionalProperty ?? params.unevaluatedProperty
    const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
    const like = closest(name, known)
    return {
      pointer: `${pointer}/${pointerSegment(name)}`,
      message: like ? `unknown key, did you mean ${like}?` : 'unknown key',
    }
  }
  if (keyword === 'required') return { pointer, message: `must have the property ${params.missingProperty}` }
  if (keyword === 'enum') return { pointer, message: `must be one of ${list(params.allowedValues)}` }
  if (keyword === 'const') return { pointer, message: `must be ${JSON.stringify(params.allowedValue)}` }
  if (keyword === 'type') return { pointer, message: `must be ${[params.type].flat().join(' or ')}` }
  return { pointer, message: error.message ?? `fails ${keyword}` }
}

function list(values: unknown[]): string {
  const shown = values.slice(0, 12).map(value => JSON.stringify(value))
  return values.length > shown.length ? `${shown.join(', ')}, … (${values.length})` : shown.join(', ')
}
