import { literal, namesLike } from '../python.ts'
import { nameOfPath } from '../tables/columns.ts'
import type { AmountForm } from './amounts.ts'
import type { Change, Piece } from './pieces.ts'
import { type Place, patternOf } from './positions.ts'
import type { StringProgram } from './train.ts'

const TAKEN = [
  'input_data',
  'scores',
  'cell',
  'text_of',
  'place',
  'cut',
  'moment',
  'amount',
  'amounts',
  'moments',
  'find_all',
]

/** A program for a text as a function of its own: one line a piece. */
export function codeOfString(name: string, { paths, pieces, confidence }: StringProgram): string {
  const used = [...new Set(pieces.flatMap(piece => (piece.make === 'constant' ? [] : [piece.source])))]
  const names = namesLike(
    used.map(source => nameOfPath(paths[source]!)),
    TAKEN,
  )
  const nameOf = (source: number) => names[used.indexOf(source)]!
  return [
    `def ${name}(input_data, scores):`,
    ...used.map(
      source =>
        `    ${nameOf(source)} = text_of(cell(input_data, [${paths[source]!.map(literal).join(', ')}]))`,
    ),
    '    try:',
    '        result = "".join([',
    ...pieces.map(piece => `            ${expressionOf(piece, nameOf)},`),
    '        ])',
    '    except LookupError:  # something that the examples had is not there',
    '        return "", 0.0',
    `    return result, ${confidence}`,
  ].join('\n')
}

function expressionOf(piece: Piece, nameOf: (source: number) => string): string {
  if (piece.make === 'constant') return literal(piece.text)
  const text = nameOf(piece.source)
  if (piece.make === 'amount') return `amount(${text}, ${piece.index}, ${formOf(piece.form)})`
  if (piece.make === 'moment') {
    return changed(
      `moment(${text}, ${literal(piece.part)}, day_first=${literal(piece.dayFirst)})`,
      piece.change,
    )
  }
  return changed(`cut(${text}, ${placeOf(piece.from)}, ${placeOf(piece.to)})`, piece.change)
}

function placeOf(place: Place): string {
  if (typeof place === 'string') return literal(place)
  return `(r${quoted(patternOf(place.kind))}, ${literal(place.edge)}, ${place.index})`
}

/** A raw string: patterns have no line breaks and at most one kind of quote. */
function quoted(pattern: string): string {
  return pattern.includes('"') ? `'${pattern}'` : `"${pattern}"`
}

function formOf(form: AmountForm): string {
  if ('width' in form) return `width=${form.width}`
  return `to=${literal(form.to)}, decimals=${form.decimals}, grouped=${literal(form.grouped)}`
}

function changed(expression: string, change: Change): string {
  if (change === 'none') return expression
  if (change === 'lower' || change === 'upper') return `${expression}.${change}()`
  return `${change}(${expression})`
}
