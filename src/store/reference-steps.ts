import type { CodeKeywordDefinition } from 'ajv'
import type * as Compiler from 'ajv/dist/2020.js'

/** The module that compiled code asks for. */
export const STEPS = 'loopai/steps'

/** A value takes more steps through the references of its schema than there are. */
export class OutOfSteps extends Error {}

/** References that are followed for any value, and for each value within a large one: a schema that branches at every level would take for ever. */
const STEPS_AT_LEAST = 50_000
const STEPS_EACH = 4
let left = 0
let compared: unknown

/** To be called before a value is compared with its schema. */
export function allowSteps(value: unknown): void {
  left = STEPS_AT_LEAST
  compared = value
}

/** Called by compiled code whenever it follows a reference. */
export function step(): void {
  if (--left >= 0) return
  // Few values are so large that they have to be counted.
  left = STEPS_EACH * countValues(compared) - STEPS_AT_LEAST - 1
  compared = undefined
  if (left < 0) throw new OutOfSteps()
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const part of Object.values(value)) count += countValues(part)
  return count
}

/** The keyword as it was, which counts how often it is followed: without references, no schema takes longer than its size times the value's. */
export function counted(
  { _ }: typeof Compiler.default,
  reference: CodeKeywordDefinition,
): CodeKeywordDefinition {
  return {
    ...reference,
    code(context, ruleType) {
      const { gen } = context
      const count = gen.scopeValue('func', { ref: step, code: _`require(${STEPS}).default` })
      gen.code(_`${count}()`)
      return reference.code(context, ruleType)
    },
  }
}
