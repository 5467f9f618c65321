/**
 * Places in a text by what stands there, from either end. The patterns name their characters one by one, so that they mean the same
 * in JavaScript and in every Python.
 */
const LETTER = 'A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u024f\\u0370-\\u03ff\\u0400-\\u052f'
const UPPER = 'A-Z\\u00c0-\\u00d6\\u00d8-\\u00de'
const LOWER = 'a-z\\u00df-\\u00f6\\u00f8-\\u00ff'
const SPACE = ' \\t\\r\\n'

/** What a word or a part of one can look like, and what it costs to speak of it. */
export const KINDS = {
  digits: { pattern: '[0-9]+', cost: 0.6 },
  letters: { pattern: `[${LETTER}]+`, cost: 0.6 },
  name: { pattern: `[${UPPER}][${LOWER}]+`, cost: 0.8 },
  upper: { pattern: `[${UPPER}]+`, cost: 0.9 },
  lower: { pattern: `[${LOWER}]+`, cost: 1 },
  word: { pattern: `[${LETTER}0-9]+`, cost: 0.7 },
  space: { pattern: `[${SPACE}]+`, cost: 0.7 },
  block: { pattern: `[^${SPACE}]+`, cost: 0.8 },
  number: { pattern: '-?[0-9]+(?:[.,][0-9]+)*', cost: 0.8 },
  initial: { pattern: `(?<![${LETTER}])[${LETTER}]`, cost: 0.8 },
  letter: { pattern: `[${LETTER}]`, cost: 1.1 },
  digit: { pattern: '[0-9]', cost: 1.1 },
} as const

export type Kind = keyof typeof KINDS | Symbol
type Symbol = (typeof SYMBOLS)[number]
const SYMBOLS = [...',.-/:;@_()[]{}"\'#&=+|<>?$%*\\!'] as string[]
const SYMBOL_COST = 0.6

/** A place: the start or end of the n-th of a kind (from the end when negative), or the start or end of the text. */
export type Place = { kind: Kind; edge: 'start' | 'end'; index: number } | 'first' | 'last'

export type Spans = Map<Kind, [from: number, to: number][]>

export function patternOf(kind: Kind): string {
  return kind in KINDS ? KINDS[kind as keyof typeof KINDS].pattern : `\\${kind}`
}

const PATTERNS = [...Object.keys(KINDS), ...SYMBOLS].map(
  kind => [kind, new RegExp(patternOf(kind), 'g')] as const,
)

export function spansOf(text: string): Spans {
  return new Map(
    PATTERNS.map(([kind, pattern]) => [
      kind,
      Array.from(text.matchAll(pattern), match => [match.index, match.index + match[0].length]),
    ]),
  )
}

export function locate(text: string, spans: Spans, place: Place): number | undefined {
  if (place === 'first') return 0
  if (place === 'last') return text.length
  return spans.get(place.kind)!.at(place.index)?.[place.edge === 'start' ? 0 : 1]
}

/** All ways to name each place of a text, the cheapest first. */
export function placesOf(text: string, spans: Spans): Map<number, Place[]> {
  const places = new Map<number, Place[]>()
  const add = (at: number, place: Place) => places.set(at, [...(places.get(at) ?? []), place])
  add(0, 'first')
  add(text.length, 'last')
  for (const [kind, found] of spans) {
    found.forEach(([from, to], index) => {
      for (const place of [index, index - found.length]) {
        add(from, { kind, edge: 'start', index: place })
        add(to, { kind, edge: 'end', index: place })
      }
    })
  }
  for (const named of places.values()) named.sort((a, b) => costOfPlace(a) - costOfPlace(b))
  return places
}

export function costOfPlace(place: Place): number {
  if (typeof place === 'string') return 0.3
  const { kind, index } = place
  const cost = kind in KINDS ? KINDS[kind as keyof typeof KINDS].cost : SYMBOL_COST
  return cost + 0.15 * (index >= 0 ? index : -index - 1)
}
