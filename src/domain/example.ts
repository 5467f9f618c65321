import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { isObject, type Json } from './json.ts'
import { sha256 } from './sha256.ts'

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
  return sha256(row!).slice(0, 12)
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

/**
 * Letters, marks and digits of Unicode 17, which some of the engines that this runs on do not know. They count as blanks everywhere, so that rows
 * fall into the same folds; older characters never change.
 */
const YOUNG =
  /\u088f|\u0c5c|\u0cdc|[\u1acf-\u1aeb]|[\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1\u{10940}-\u{1095f}\u{10ec5}-\u{10ecf}\u{10efa}\u{10efb}]|[\u{11b60}-\u{11b6f}]|[\u{11db0}-\u{11def}\u{16ea0}-\u{16edf}\u{16ff2}-\u{16fff}\u{187f8}-\u{187ff}\u{18d09}-\u{18d7f}\u{18d80}-\u{18dff}\u{1e6c0}-\u{1e6ff}\u{2b73a}-\u{2b73f}\u{2cea2}-\u{2ceaf}\u{323b0}-\u{3347f}]/gu

function normalizeString(text: string): string {
  return text
    .replace(YOUNG, ' ')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{N}+/gu, '0')
    .replace(/[^\p{L}\p{M}0]+/gu, ' ')
    .trim()
}
