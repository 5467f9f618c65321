import canonicalize from 'canonicalize'
import { type Example, exampleKey, normalize } from '../../domain/example.ts'

/** Positions of rows whose input is, but for case, digits and punctuation, that of another row with another output. */
export function findContradictions(examples: Example[]): number[] {
  const outputs = new Map<string, Set<string>>()
  const inputs = examples.map(example => normalize(example.input))
  examples.forEach((example, row) => {
    const seen = outputs.get(inputs[row]!) ?? new Set()
    outputs.set(inputs[row]!, seen.add(canonicalize(example.output)!))
  })
  return [...examples.keys()].filter(row => outputs.get(inputs[row]!)!.size > 1)
}

/** How many rows repeat an earlier one, input and output. */
export function countDuplicates(examples: Example[]): number {
  return examples.length - new Set(examples.map(exampleKey)).size
}
