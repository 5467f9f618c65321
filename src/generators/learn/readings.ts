import type { Json } from '../../domain/json.ts'
import { type Answer, answerOf, type Prior, priorOf } from './answers.ts'
import { type Calibration, calibrate } from './calibration.ts'
import { scaleOf } from './lanes.ts'
import { leadOver } from './suspicion.ts'
import type { ChoiceTarget, NumberTarget } from './targets.ts'

/** How the scores of one target become its answer. Emitted as JSON. */
export type Reading = ChoiceReading | NumberReading

export interface ChoiceReading extends Calibration {
  kind: 'choice'
  labels: Json[]
  prior: Prior
}

export interface NumberReading {
  kind: 'number'
  center: number
  spread: number
  decimals: number
  least: number
  most: number
  /** Share of the examples that are answered with an error of at most a quarter of the standard deviation. */
  confidence: number
}

/** An answer in the words of the schema. */
export interface Answered {
  output: Json
  confidence: number
  /** How far it is ahead of the label that the row has; 0 when it is the same, or a number. */
  lead: number
}

/** Answers that are off by at most this share of the standard deviation count as right. */
export const NEAR = 0.25

/** Learns from out-of-fold scores (one row a row) how to read them, and reads them. */
export function readScores(
  target: ChoiceTarget | NumberTarget,
  scores: Float32Array,
): { reading: Reading; answers: Answered[] } {
  return target.kind === 'choice' ? readChoices(target, scores) : readNumbers(target, scores)
}

function readChoices(target: ChoiceTarget, scores: Float32Array) {
  const { labels, label } = target
  const lanes = scores.length / label.length
  const reading: ChoiceReading = {
    kind: 'choice',
    labels,
    prior: priorOf(target),
    ...calibrate(scores, label, lanes),
  }
  const answers = Array.from(label, (own, row) => {
    const ofRow = scores.subarray(row * lanes, (row + 1) * lanes)
    return { ...readChoice(ofRow, reading), lead: leadOver(own, ofRow) }
  })
  return { reading, answers }
}

function readNumbers({ value, decimals, least, most }: NumberTarget, scores: Float32Array) {
  const scale = scaleOf(value)
  const reading: NumberReading = { kind: 'number', ...scale, decimals, least, most, confidence: 0 }
  const outputs = Array.from(scores, score => readNumber(score, reading))
  const near = outputs.filter((output, row) => Math.abs(output - value[row]!) <= NEAR * scale.spread).length
  reading.confidence = Math.round((1e4 * near) / outputs.length) / 1e4
  const answers = outputs.map(output => ({ output, confidence: reading.confidence, lead: 0 }))
  return { reading, answers }
}

/** The answer to scores of one input; NaN where nothing in it was known. */
export function read(scores: ArrayLike<number>, reading: Reading): Omit<Answered, 'lead'> {
  if (reading.kind === 'choice') return readChoice(scores, reading)
  return { output: readNumber(scores[0]!, reading), confidence: reading.confidence }
}

function readChoice(scores: ArrayLike<number>, reading: ChoiceReading): Omit<Answered, 'lead'> {
  const { label, confidence }: Answer = answerOf(scores, reading, reading.prior)
  return { output: reading.labels[label]!, confidence }
}

function readNumber(score: number, { center, spread, decimals, least, most }: NumberReading): number {
  const value = Number.isNaN(score) ? center : center + spread * score
  const units = 10 ** decimals
  return Math.floor(Math.max(least, Math.min(most, value)) * units + 0.5) / units
}
