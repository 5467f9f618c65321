import type { Example } from '../../domain/example.ts'
import type { Json } from '../../domain/json.ts'
import { countDuplicates, findContradictions } from './contradictions.ts'
import type { Learned, LearnedPart } from './heads.ts'
import type { Metric, Problem } from './problem.ts'
import { expectedOfTwice } from './report.ts'
import type { Rows } from './rows.ts'
import { fewInputs, findSuspects } from './suspicion.ts'
import type { ChoiceTarget, Shape, Target } from './targets.ts'
import type { LearningCurve } from './train.ts'

const SHOWN = 5
/** Below this many rows of a label a language model knows more about it than the rows do. */
const ENOUGH_PER_LABEL = 10

/** What the person who asked should know, in sentences. Rows are named by their position in the examples, from 1. */
export function writeNotes(problem: Problem, { parts }: Learned, examples: Example[]): string[] {
  const { targets, metric, rows } = problem
  const single = targets.length === 1
  return [
    describeRows(targets, examples.length),
    ...parts.flatMap((part, at) => {
      const title = single && targets[at]!.name === '' ? '' : `${targets[at]!.name}: `
      return describePart(part, measureOf(targets[at]!, metric)).map(line => title + line)
    }),
    ...targets.flatMap(adviseOnFewRows),
    ...describeConstants(problem.shape),
    ...describeDuplicates(examples),
    ...describeFewInputs(rows),
    ...describeContradictions(examples),
    ...parts.flatMap((part, at) => describeSuspects(targets[at]!, part, rows)),
    ...(parts.some(({ head }) => head.by === 'linear') ? describeLostNumbers(examples) : []),
  ]
}

function describeRows(targets: Target[], examples: number): string {
  const [first] = targets
  if (targets.length > 1 || first?.kind !== 'choice') return `Learned from ${count(examples, 'example')}.`
  const counts = countLabels(first).map(({ name, rows }) => `${name} ${rows}`)
  return `Learned from ${count(examples, 'example')}: ${list(counts, 10)}.`
}

function describePart({ description, learningCurve }: LearnedPart, measure: Measure): string[] {
  if (!learningCurve) return [`${description}.`]
  return [
    `${description}; it ${measure(learningCurve.all)} when it has not seen them.`,
    describeLearningCurve(learningCurve, measure),
  ]
}

/** Says what a quality means: "answers 93.1 % of the examples rightly". */
type Measure = (quality: number) => string

function measureOf(target: Target, metric: Metric): Measure {
  if (target.kind === 'number') return quality => `explains ${percent(quality)} of how the examples differ`
  if (metric === 'macro_f1') return quality => `answers the examples with a macro-F1 of ${percent(quality)}`
  return quality => `answers ${percent(quality)} of the examples rightly`
}

function describeLearningCurve(curve: LearningCurve, measure: Measure): string {
  const measured = `With half of the examples it ${measure(curve.half)}`
  if (curve.all === 1) return `${measured}; more examples would only confirm it.`
  const expected = expectedOfTwice(curve)
  if (expected === undefined) return `${measured}: more examples of the same kind will bring little.`
  return `${measured}; twice as many examples should bring about ${percent(expected)}.`
}

function describeConstants(shape: Shape, name = ''): string[] {
  if ('always' in shape)
    return name === ''
      ? []
      : [`${name} is ${JSON.stringify(shape.always)} in all examples, so it always will be.`]
  if ('properties' in shape) {
    return Object.entries(shape.properties).flatMap(([key, part]) =>
      describeConstants(part, name === '' ? key : `${name}.${key}`),
    )
  }
  if (!('labels' in shape)) return []
  const never = shape.labels.filter(([, part]) => 'always' in part && part.always === false)
  return never.length === 0
    ? []
    : [
        `No example has ${list(
          never.map(([label]) => nameOf(label)),
          SHOWN,
        )}, so the program never answers it.`,
      ]
}

function adviseOnFewRows(target: Target): string[] {
  if (target.kind !== 'choice') return []
  const few = countLabels(target).filter(({ rows }) => rows < ENOUGH_PER_LABEL)
  if (few.length === 0) return []
  const names = list(
    few.map(({ name }) => name),
    SHOWN,
  )
  return [
    `Fewer than ${ENOUGH_PER_LABEL} examples of ${target.name === '' ? '' : `${target.name} `}${names}: with so few, a language model is the better generator (--generator llm).`,
  ]
}

function describeDuplicates(examples: Example[]): string[] {
  const duplicates = countDuplicates(examples)
  return duplicates === 0
    ? []
    : [`${count(duplicates, 'example')} ${duplicates === 1 ? 'repeats' : 'repeat'} an earlier one exactly.`]
}

function describeFewInputs(rows: Rows): string[] {
  const inputs = fewInputs(rows)
  if (inputs === undefined) return []
  return [
    `But for numbers in texts, case and punctuation there are only ${count(inputs, 'different input')}: how it answers those that it has not seen says little. Bring examples that differ more.`,
  ]
}

function describeContradictions(examples: Example[]): string[] {
  const rows = findContradictions(examples)
  if (rows.length === 0) return []
  return [
    `${count(rows.length, 'example')} contradict each other (same input, different output): rows ${list(
      rows.map(row => `${row + 1}`),
      SHOWN,
    )}.`,
  ]
}

function describeSuspects({ name }: Target, { answers }: LearnedPart, rows: Rows): string[] {
  const suspects = findSuspects(answers, rows)
  if (suspects.length === 0) return []
  const named = suspects.map(
    ({ row, preferred }) => `row ${rows.example[row]! + 1} (rather ${nameOf(preferred)})`,
  )
  const what = name === '' ? 'label' : `label of ${name}`
  return [`${count(suspects.length, what)} may be wrong: ${list(named, SHOWN)}.`]
}

function describeLostNumbers(examples: Example[]): string[] {
  if (!examples.some(({ input }) => hasNumber(input))) return []
  return [
    'Numbers in the input are only known by their whole part, each as a word of its own; this strategy does not compare them.',
  ]
}

function hasNumber(value: Json): boolean {
  if (typeof value === 'number') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNumber)
}

/** Most frequent first. */
function countLabels({ labels, label }: ChoiceTarget): { name: string; rows: number }[] {
  const rows = new Int32Array(labels.length)
  for (const at of label) rows[at]!++
  return labels.map((name, at) => ({ name: nameOf(name), rows: rows[at]! })).sort((a, b) => b.rows - a.rows)
}

function nameOf(label: Json): string {
  return typeof label === 'string' ? label : JSON.stringify(label)
}

function list(items: string[], most: number): string {
  const shown = items.slice(0, most).join(', ')
  return items.length > most ? `${shown} and ${items.length - most} more` : shown
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
