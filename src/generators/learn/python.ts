import type { Json } from '../../domain/json.ts'
import { SEPARATOR } from './characters.ts'

const LONGEST_COMMENT = 300
const UNSHOWN = new RegExp(`[${SEPARATOR}\\p{Surrogate}]`, 'gu')

/** A plain value in Python. Strings are in quotes and in ASCII, so nothing in them can end them or hide. */
export function literal(value: Json): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `"${[...value].map(escapeCharacter).join('')}"`
  return JSON.stringify(value)
}

/** One line without a character that could end it, hide something or turn its direction. */
export function comment(text: string): string {
  const line = text.replace(UNSHOWN, character =>
    character === ' ' ? ' ' : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
  const points = [...line]
  return points.length > LONGEST_COMMENT ? `${points.slice(0, LONGEST_COMMENT).join('')}…` : line
}

/** Distinct variable names that resemble texts; `taken` are names that mean something else. */
export function namesLike(texts: string[], taken: Iterable<string>): string[] {
  const used = new Set(taken)
  return texts.map(text => {
    const plain = text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^[_0-9]+|_+$/g, '')
    let name = plain.slice(0, 40) || 'value'
    for (let at = 2; used.has(name) || KEYWORDS.has(name); at++)
      name = `${plain.slice(0, 40) || 'value'}_${at}`
    used.add(name)
    return name
  })
}

const KEYWORDS = new Set(
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type'.split(
    ' ',
  ),
)

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  const code = character.codePointAt(0)!
  if (code >= 0x20 && code < 0x7f) return character
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}
