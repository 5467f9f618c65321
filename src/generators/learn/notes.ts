import type { Example } from '../../domain/example.ts'
import type { Json } from '../../domain/json.ts'
import { countDuplicates, findContradictions } from './contradictions.ts'
import type { Problem } from './problem.ts'
import { findSuspects } from './suspicion.ts'
import type { Trained } from './train.ts'

const SHOWN = 5
/** Below this many rows of a label a language model knows more about it than the rows do. */
const ENOUGH_PER_LABEL = 10

/** What the person who asked should know, in sentences. Rows are named by their position in the examples, from 1. */
export function writeNotes(problem: Problem, trained: Trained, examples: Example[]): string[] {
  return [
    describeRows(problem),
    describeSetting(trained),
    describeLearningCurve(trained),
    ...adviseOnFewRows(problem),
    ...describeDuplicates(examples),
    ...describeContradictions(examples),
    ...describeSuspects(problem, trained),
    ...describeLostNumbers(examples),
  ]
}

function describeRows({ labels, label }: Problem): string {
  const counts = countLabels(labels, label).map(({ name, rows }) => `${name} ${rows}`)
  return `Learned from ${label.length} examples: ${list(counts, 10)}.`
}

function describeSetting({ setting, learningCurve }: Trained): string {
  const blocks = [setting.use.words && 'words and pairs of words', setting.use.chars && 'character sequences']
  const features = blocks.filter(Boolean).join(' with ')
  return `A linear model of ${features} (C = ${setting.cost}); it answers ${percent(learningCurve.all)} of the examples rightly when it has not seen them.`
}

/**
 * The error is taken to go on shrinking as it did: err(2n) = err(n) · err(n) / err(n/2), a power law through the two sizes that were
 * measured.
 */
function describeLearningCurve({ learningCurve }: Trained): string {
  const error = 1 - learningCurve.all
  const errorWithHalf = 1 - learningCurve.half
  const measured = `With half of the examples it was ${percent(learningCurve.half)}`
  if (error === 0) return `${measured}; more examples would only confirm it.`
  if (errorWithHalf <= error) return `${measured}: more examples of the same kind will bring little.`
  const expected = 1 - (error * error) / errorWithHalf
  return `${measured}; twice as many examples should bring about ${percent(expected)}.`
}

function adviseOnFewRows({ labels, label }: Problem): string[] {
  const few = countLabels(labels, label).filter(({ rows }) => rows < ENOUGH_PER_LABEL)
  if (few.length === 0) return []
  const names = list(
    few.map(({ name }) => name),
    SHOWN,
  )
  return [
    `Fewer than ${ENOUGH_PER_LABEL} examples of ${names}: with so few, a language model is the better generator (--generator llm).`,
  ]
}

function describeDuplicates(examples: Example[]): string[] {
  const duplicates = countDuplicates(examples)
  return duplicates === 0
    ? []
    : [`${count(duplicates, 'example')} ${duplicates === 1 ? 'repeats' : 'repeat'} an earlier one exactly.`]
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

function describeSuspects({ labels, example }: Problem, { outOfFold }: Trained): string[] {
  const suspects = findSuspects(outOfFold)
  if (suspects.length === 0) return []
  const rows = suspects.map(
    ({ row, preferred }) => `row ${example[row]! + 1} (rather ${nameOf(labels[preferred]!)})`,
  )
  return [`${count(suspects.length, 'label')} may be wrong: ${list(rows, SHOWN)}.`]
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
function countLabels(labels: Json[], label: Int32Array): { name: string; rows: number }[] {
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
