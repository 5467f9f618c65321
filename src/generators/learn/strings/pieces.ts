import type { Json } from '../../../domain/json.ts'
import { isObject } from '../../../domain/json.ts'
import type { Path } from '../tables/columns.ts'
import { type AmountForm, amountsOf, writeAmount } from './amounts.ts'
import { momentParts } from './moments.ts'
import { costOfPlace, locate, type Place, type Spans, spansOf } from './positions.ts'

/** A part of the output. */
export type Piece =
  | { make: 'constant'; text: string }
  | { make: 'cut'; source: number; from: Place; to: Place; change: Change }
  | { make: 'moment'; source: number; dayFirst: boolean; part: string; change: Change }
  | { make: 'amount'; source: number; index: number; form: AmountForm }

/** What is done to a text that was cut out. */
export const CHANGES = {
  none: { apply: (text: string) => text, cost: 0 },
  lower: { apply: (text: string) => text.toLowerCase(), cost: 0.4 },
  upper: { apply: (text: string) => text.toUpperCase(), cost: 0.4 },
  title: { apply: capitalize, cost: 0.5 },
  digits: { apply: (text: string) => text.replace(/[^0-9]/g, ''), cost: 0.5 },
  tight: { apply: (text: string) => text.replace(/[ \t\r\n]+/g, ''), cost: 0.6 },
  unpadded: { apply: (text: string) => text.replace(/^0+/, '') || '0', cost: 0.7 },
  trimmed: { apply: (text: string) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), cost: 0.3 },
} as const

export type Change = keyof typeof CHANGES

/** The texts of an input, with what the search asks of them again and again. */
export interface Sources {
  texts: (string | undefined)[]
  spans: (Spans | undefined)[]
  moments: (Record<string, string>[] | undefined)[]
  amounts: (number[] | undefined)[]
}

export function readSources(texts: (string | undefined)[]): Sources {
  const each = <Value>(read: (text: string) => Value) =>
    texts.map(text => (text === undefined ? undefined : read(text)))
  return {
    texts,
    spans: each(spansOf),
    moments: each(text => [momentParts(text, false), momentParts(text, true)]),
    amounts: each(amountsOf),
  }
}

/** What a piece gives for an input; `undefined` where it asks for something that is not there. */
export function runPiece(piece: Piece, { texts, spans, moments, amounts }: Sources): string | undefined {
  if (piece.make === 'constant') return piece.text
  const text = texts[piece.source]
  if (text === undefined) return undefined
  if (piece.make === 'amount') {
    const amount = amounts[piece.source]![piece.index]
    return amount === undefined ? undefined : writeAmount(amount, piece.form)
  }
  if (piece.make === 'moment') {
    const part = moments[piece.source]![piece.dayFirst ? 1 : 0]![piece.part]
    return part === undefined ? undefined : CHANGES[piece.change].apply(part)
  }
  const from = locate(text, spans[piece.source]!, piece.from)
  const to = locate(text, spans[piece.source]!, piece.to)
  if (from === undefined || to === undefined || from >= to) return undefined
  return CHANGES[piece.change].apply(text.slice(from, to))
}

export function costOfPiece(piece: Piece): number {
  if (piece.make === 'constant') {
    const letters = piece.text.match(/[\p{L}\p{N}]/gu)?.length ?? 0
    return 1 + 0.35 * piece.text.length + 2 * letters
  }
  if (piece.make === 'moment') return 1.6 + CHANGES[piece.change].cost + (piece.dayFirst ? 0.05 : 0)
  if (piece.make === 'amount')
    return 1.9 + 0.15 * piece.index + ('to' in piece.form && piece.form.to !== 'nearest' ? 0.3 : 0)
  return 1.2 + costOfPlace(piece.from) + costOfPlace(piece.to) + CHANGES[piece.change].cost
}

/** Texts and numbers of an input; each path is a source. */
export function textOfSource(cell: Json | undefined): string | undefined {
  if (typeof cell === 'string') return cell
  const isPlain = typeof cell === 'number' && Math.abs(cell) < 1e15 && (cell === 0 || Math.abs(cell) >= 1e-4)
  return isPlain ? String(cell) : undefined
}

/** Paths of all texts and numbers in inputs. */
export function sourcePaths(inputs: Json[]): Path[] {
  const paths = new Map<string, Path>()
  const visit = (value: Json, path: Path): void => {
    if (isObject(value)) {
      for (const key of Object.keys(value).sort())
        visit((value as { [key: string]: Json })[key]!, [...path, key])
    } else if (textOfSource(value) !== undefined) paths.set(JSON.stringify(path), path)
  }
  for (const input of inputs) visit(input, [])
  return [...paths.values()]
}

function capitalize(text: string): string {
  return text
    .split(' ')
    .map(word => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join(' ')
}
