import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { isObject, type Json } from './json.ts'

/** One labelled row: an input and the output that is right for it. */
export interface Example {
  input: Json
  output: Json
}

/** Fold of an input among `folds`. Near-copies (case, digits, spacing, punctuation) fall into the same fold. */
export function foldOf(input: Json, folds: number): number {
  return foldOfNormalized(normalize(input), folds)
}

/** The same for an input that is normalized already: normalizing is what takes the time. */
export function foldOfNormalized(normalized: string, folds: number): number {
  return createHash('sha256').update(normalized).digest().readUInt32BE(0) % folds
}

/** Twelve hexadecimal digits that name a labelled row: the exact input together with its label. */
export function exampleKey(example: Example): string {
  const row = canonicalize({ input: example.input, output: example.output })
  return createHash('sha256').update(row!).digest('hex').slice(0, 12)
}

/** The same text for near-copies of an input. Numbers count as they are: in a table they are all there is to tell rows apart. */
export function normalize(input: Json): string {
  return canonicalize(normalizeStrings(input))!
}

function normalizeStrings(value: Json): Json {
  if (typeof value === 'string') return NUMERAL.test(value) ? value : normalizeString(value)
  if (Array.isArray(value)) return value.map(normalizeStrings)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normalizeStrings(inner)]))
}

const NUMERAL = /^[-+]?[0-9]+(?:\.[0-9]+)?$/

function normalizeString(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{N}+/gu, '0')
    .replace(/[^\p{L}\p{M}0]+/gu, ' ')
    .trim()
}
