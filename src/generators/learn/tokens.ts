import { lowerCase, SEPARATOR, SYMBOL } from './characters.ts'
import { replacePrivate } from './shapes.ts'

/** Code points of a text that are looked at; it also keeps the sums in a program's 32-bit lanes from overflowing. */
export const LONGEST_TEXT = 100_000
export const SHORTEST_GRAM = 2
export const LONGEST_GRAM = 5
export const TOKEN = `[^${SEPARATOR}${SYMBOL}]+|[${SYMBOL}]`

const TOKENS = new RegExp(TOKEN, 'gu')
const SURROGATE = /[\ud800-\udfff]/

/** Words and symbols of a text, in order. */
export function tokenize(text: string): string[] {
  return truncate(replacePrivate(lowerCase(text))).match(TOKENS) ?? []
}

/** Character sequences of 2 to 5 code points inside ` word `, blanks included; one that occurs twice is listed twice. */
export function gramsOf(word: string): string[] {
  const padded = ` ${word} `
  return SURROGATE.test(word) ? gramsOfPoints([...padded]) : gramsOfUnits(padded)
}

function gramsOfUnits(padded: string): string[] {
  const grams: string[] = []
  for (let length = SHORTEST_GRAM; length <= LONGEST_GRAM && length <= padded.length; length++) {
    for (let at = 0; at + length <= padded.length; at++) grams.push(padded.substring(at, at + length))
  }
  return grams
}

function gramsOfPoints(padded: string[]): string[] {
  const grams: string[] = []
  for (let length = SHORTEST_GRAM; length <= LONGEST_GRAM && length <= padded.length; length++) {
    for (let at = 0; at + length <= padded.length; at++) grams.push(padded.slice(at, at + length).join(''))
  }
  return grams
}

function truncate(text: string): string {
  return text.length <= LONGEST_TEXT ? text : [...text].slice(0, LONGEST_TEXT).join('')
}
