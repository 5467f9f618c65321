import type { Brief } from '../../domain/draft.ts'
import { LoopaiError } from '../../domain/errors.ts'
import { foldOfNormalized, normalize } from '../../domain/example.ts'
import type { Json, JsonObject } from '../../domain/json.ts'
import { hasText, type ReadingOrder, readingOrder, textOf } from './input-text.ts'

/** What is to be learned, as plain data that a thread can be given. Rows are sorted, so that the order of a file means nothing. */
export interface Problem {
  order: ReadingOrder
  /** Outputs that occur, in the order of the schema. */
  labels: Json[]
  /** Position in the brief's examples, by row; so are all that follow. */
  example: Int32Array
  texts: string[]
  /** Position in `labels`. */
  label: Int32Array
  /** Rows of one fold are answered by a program that learned from the other folds. Near-copies are in the same fold. */
  fold: Int32Array
  /** 0 or 1: the half that a learning curve leaves out or keeps. */
  half: Int32Array
  /** The same number for near-copies. */
  input: Int32Array
  /** Distinct inputs that a feature needs before the program may contain it. */
  minInputs: number
  seed: number
}

export const FOLDS = 5
/** Inputs that must share a word when records are private. */
const MIN_INPUTS_PRIVATE = 3
/** Integers without an `enum` are labels when the schema allows at most this many. */
const MOST_INTEGERS = 150
const BY_HAND =
  'write the program by hand with: loopai create --generator template, or register one with: loopai add'

/** Checks that the task can be learned and prepares its rows. Throws a refusal that says what to do otherwise. */
export function planProblem(brief: Brief): Problem {
  const { examples, app, privacy, seed } = brief
  checkBrief(brief)
  const outputs = examples.map(example => example.output)
  const labels = labelsOf(outputs, app)
  const order = readingOrder(app.input_schema)
  const labelAt = new Map(labels.map((label, at) => [label, at]))
  const rows = examples
    .map(({ input, output }, at) => {
      const normalized = normalize(input)
      const hash = foldOfNormalized(normalized, 2 * FOLDS)
      return { example: at, text: textOf(input, order), label: labelAt.get(output)!, normalized, hash }
    })
    .sort((a, b) => compare(a.text, b.text) || a.label - b.label || compare(a.normalized, b.normalized))
  const inputs = new Map<string, number>()
  for (const row of rows) if (!inputs.has(row.normalized)) inputs.set(row.normalized, inputs.size)

  return {
    order,
    labels,
    example: Int32Array.from(rows, row => row.example),
    texts: rows.map(row => row.text),
    label: Int32Array.from(rows, row => row.label),
    fold: Int32Array.from(rows, row => row.hash % FOLDS),
    half: Int32Array.from(rows, row => Math.floor(row.hash / FOLDS)),
    input: Int32Array.from(rows, row => inputs.get(row.normalized)!),
    minInputs: privacy === 'full' ? 1 : MIN_INPUTS_PRIVATE,
    seed,
  }
}

function checkBrief({ strategy, examples, app }: Brief): void {
  if (strategy !== undefined && strategy !== 'linear') {
    const hint = 'leave the strategy out, or use: linear'
    throw new LoopaiError('UNSUPPORTED', `the learner has no strategy "${strategy}"`, { hint })
  }
  if (examples.length === 0) {
    const hint = `add rows like {"input": …, "output": …} to loop-apps/${app.id}/datasets/examples/`
    throw new LoopaiError('NO_EXAMPLES', `${app.id} has no labelled examples to learn from`, { hint })
  }
  if (!examples.some(example => hasText(example.input))) {
    const message = 'the learner needs text in the input, and these examples have none'
    throw new LoopaiError('UNSUPPORTED', message, { hint: BY_HAND })
  }
}

/** The outputs that occur, in the order of the schema. Refuses fewer than two, and outputs that the schema does not have. */
function labelsOf(outputs: Json[], app: Brief['app']): Json[] {
  const possible = possibleOutputs(app.output_schema)
  const wrong = outputs.findIndex(output => !possible.includes(output))
  if (wrong >= 0) {
    const message = `example ${wrong + 1} has an output that the schema does not allow`
    throw new LoopaiError('INVALID_EXAMPLES', message, { hint: `one of ${shorten(possible)}` })
  }
  const used = new Set(outputs)
  const labels = possible.filter(value => used.has(value))
  if (labels.length > 1) return labels
  const missing = possible.filter(value => !used.has(value))
  throw new LoopaiError(
    'NOT_ENOUGH_EXAMPLES',
    `all examples of ${app.id} have the label ${JSON.stringify(labels[0])}`,
    {
      hint:
        missing.length === 0
          ? 'a program that always gives one answer needs no learning'
          : `add examples of ${shorten(missing)}`,
    },
  )
}

/** Every output that the schema allows; refuses schemas that allow more than a list of plain values. */
function possibleOutputs(schema: JsonObject): Json[] {
  if (Array.isArray(schema.enum) && !schema.enum.some(value => typeof value === 'object' && value !== null)) {
    return schema.enum
  }
  if (schema.type === 'boolean') return [false, true]
  const { minimum, maximum } = schema
  if (schema.type === 'integer' && typeof minimum === 'number' && typeof maximum === 'number') {
    const count = Math.floor(maximum) - Math.ceil(minimum) + 1
    if (count <= MOST_INTEGERS) return Array.from({ length: count }, (_, i) => Math.ceil(minimum) + i)
  }
  throw new LoopaiError(
    'UNSUPPORTED',
    `the learner chooses among fixed answers (an enum of strings, integers or booleans), and this output is ${nameOf(schema)}`,
    { hint: BY_HAND },
  )
}

function nameOf(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return 'an enum with objects or lists in it'
  if (typeof schema.type !== 'string') return 'of no single type'
  if (schema.type === 'string') return 'free text'
  return /^[aeio]/.test(schema.type) ? `an ${schema.type}` : `a ${schema.type}`
}

function shorten(values: Json[]): string {
  const shown = values.slice(0, 5).map(value => JSON.stringify(value))
  return values.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
