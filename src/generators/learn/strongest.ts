import type { Json } from '../../domain/json.ts'
import type { LinearModel } from './model.ts'
import type { Head } from './program.ts'

const SHOWN = 8

/** What speaks most for an answer of a linear head, in all the rows together: `[label, features]`, the strongest first. */
export function strongestByLabel(
  { span, reading }: Extract<Head, { by: 'linear' }>,
  model: LinearModel,
): { label: Json; features: string[] }[] {
  if (reading.kind === 'number') return []
  // Two labels share a lane, in which the first one is the negative side.
  const isShared = span.to - span.from === 1
  return reading.labels.map((label, at) => ({
    label,
    features: strongest(model, isShared ? span.from : span.from + at, isShared && at === 0 ? -1 : 1),
  }))
}

export function strongest(model: LinearModel, lane: number, sign: 1 | -1): string[] {
  const lanes = model.biases.length
  const names = model.words.length > 0 ? model.words : model.chars
  const weightOf = (feature: number) => sign * model.weights[feature * lanes + lane]!
  return names
    .map((name, feature) => ({ name, strength: weightOf(feature) * Math.sqrt(model.documents[feature]!) }))
    .filter(({ strength }) => strength > 0)
    .sort((a, b) => b.strength - a.strength)
    .slice(0, SHOWN)
    .map(({ name }) => name)
}
