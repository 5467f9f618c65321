import type { Json, JsonObject } from '../../domain/json.ts'
import { roundConfidence } from './answers.ts'
import { type ReadingOrder, textOf } from './input-text.ts'
import type { Span } from './lanes.ts'
import { createLinear } from './linear.ts'
import { encodeLinear, type LinearModel } from './model.ts'
import { type Answered, type Reading, read } from './readings.ts'
import { answerTokens, type RuleList } from './rules/list.ts'
import { runString, type StringProgram } from './strings/train.ts'
import { categoryOf, cellOf, numberOf, textOfCell } from './tables/columns.ts'
import { type ModelColumn, type TreesModel, UNIT } from './tables/model.ts'
import { binOf, createTrees } from './tables/scores.ts'
import { answerOfTree, type CodeTree } from './tables/single.ts'
import type { Shape } from './targets.ts'
import { tokenize } from './tokens.ts'

/** A learned program without its code. */
export interface Program {
  order: ReadingOrder
  shape: Shape
  /** Scores of all heads that are linear, from one look at the text. */
  linear?: LinearModel
  /** One a target. */
  heads: Head[]
}

export type Head =
  | { by: 'linear'; span: Span; reading: Reading }
  | { by: 'trees'; model: TreesModel; texts: LinearModel[]; reading: Reading }
  | { by: 'code'; code: CodeTree }
  | { by: 'rules'; rules: RuleList }
  | { by: 'string'; string: StringProgram }

type CodeHead = Extract<Head, { by: 'code' | 'rules' | 'string' }>

/** Heads that are functions of the program, instead of numbers in its model. */
export function isCode(head: Head): head is CodeHead {
  return head.by === 'code' || head.by === 'rules' || head.by === 'string'
}

export type Part = Omit<Answered, 'lead'>

/** The trainer's own answers: what the emitted program computes. */
export function createPredictor(program: Program): (input: Json) => Part & { scores: number[] } {
  const linear = program.linear && createLinear(program.linear)
  const heads = program.heads.map(createHead)
  return input => {
    const tokens = () => tokenize(textOf(input, program.order))
    const scores = linear?.(tokens()) ?? []
    return {
      ...putTogether(
        program.shape,
        heads.map(head => head(input, { scores, tokens })),
      ),
      scores,
    }
  }
}

/** The same program; where the scores are those of one choice, they are made its logits, which spares a multiplication a label. */
export function sharpenScores(program: Program): Program {
  const { linear, heads } = program
  const [head] = heads
  if (!linear || heads.length > 1 || head?.by !== 'linear') return program
  const { reading, span } = head
  if (reading.kind !== 'choice' || span.to - span.from < 2) return program
  const times = (value: number) => Number((reading.sharpness * value).toPrecision(6))
  const sharpened = {
    ...linear,
    biases: linear.biases.map(times),
    wordScale: times(linear.wordScale),
    charScale: times(linear.charScale),
  }
  return { ...program, linear: sharpened, heads: [{ ...head, reading: { ...reading, sharpness: 1 } }] }
}

/** The whole answer from its parts. It is as sure as all of them together. */
export function putTogether(shape: Shape, parts: Part[]): Part {
  const confidence = parts.reduce((product, part) => product * part.confidence, 1)
  return { output: outputOf(shape, parts), confidence: roundConfidence(confidence) }
}

/** `model.json`. */
export function encodeProgram({ order, shape, linear, heads }: Program): string {
  const encoded = {
    order,
    shape,
    ...(linear && { linear: encodeLinear(linear) }),
    heads: heads.map(encodeHead),
  }
  return `${JSON.stringify(encoded)}\n`
}

function encodeHead(head: Head, at: number) {
  if (isCode(head)) return { by: 'code', code: at }
  if (head.by === 'linear') return head
  const { columns, bases, trees } = head.model
  const paths = head.texts.map((_, model) => columns.find(({ text }) => text?.model === model)?.path)
  const used = head.texts.filter((_, model) => paths[model])
  const renumbered = columns.map(column =>
    column.text
      ? { ...column, text: { ...column.text, model: used.indexOf(head.texts[column.text.model]!) } }
      : column,
  )
  return {
    by: 'trees',
    columns: renumbered,
    bases,
    unit: UNIT,
    trees,
    text_paths: paths.filter(Boolean),
    texts: used.map(encodeLinear),
    reading: head.reading,
  }
}

/** What all heads may share of an input. */
interface Look {
  scores: number[]
  tokens: () => string[]
}

function createHead(head: Head): (input: Json, look: Look) => Part {
  if (head.by === 'code') return input => answerOfTree(head.code, input)
  if (head.by === 'string') return input => runString(head.string, input)
  if (head.by === 'rules') return (_, { tokens }) => answerTokens(head.rules, tokens())
  if (head.by === 'linear')
    return (_, { scores }) => read(scores.slice(head.span.from, head.span.to), head.reading)
  const trees = createTrees(head.model)
  const texts = head.texts.map(createLinear)
  return input =>
    read(trees(head.model.columns.map(column => binOfInput(column, input, texts))), head.reading)
}

function binOfInput(column: ModelColumn, input: Json, texts: ((tokens: string[]) => number[])[]): number {
  const cell = cellOf(input, column.path)
  if (column.text)
    return binOf(column, texts[column.text.model]!(tokenize(textOfCell(cell)))[column.text.lane]!)
  return binOf(column, column.kind === 'number' ? numberOf(cell) : categoryOf(cell))
}

function outputOf(shape: Shape, parts: Part[]): Json {
  if ('answer' in shape) return parts[shape.answer]!.output
  if ('always' in shape) return shape.always
  if ('labels' in shape) {
    return shape.labels.filter(([, part]) => outputOf(part, parts) === true).map(([label]) => label)
  }
  const entries = Object.entries(shape.properties).map(([name, part]) => [name, outputOf(part, parts)])
  return Object.fromEntries(entries) as JsonObject
}
