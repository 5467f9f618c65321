/**
 * What counts as a separator, a symbol or a capital letter. Emitted programs run on Pythons whose Unicode tables differ from Node's and
 * from each other's, so nothing here asks a Unicode table about a character that is younger than all of them: classes are spelled
 * out as code points, and whatever is in neither class (letters, marks, digits, `_`, code points not yet assigned) belongs to a word.
 * The sources are regular expressions that mean the same in JavaScript (flag `u`) and, through `pythonPattern`, in Python.
 */

/** Blanks, controls, bidirectional marks, variation selectors: they separate and are never shown. */
export const SEPARATOR =
  '\\x00-\\x20\\x7f-\\xa0\\xad\\u061c\\u1680\\u180b-\\u180f\\u2000-\\u200b\\u200e\\u200f\\u2028-\\u202f' +
  '\\u205f-\\u206f\\u3000\\ufe00-\\ufe0f\\ufeff\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}'

/** Punctuation, currency, arrows, emoji: each is a token by itself. */
export const SYMBOL =
  '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7e\\xa1-\\xa9\\xab\\xac\\xae-\\xb1\\xb4\\xb6-\\xb8\\xbb\\xbf\\xd7\\xf7' +
  '\\u037e\\u0387\\u055a-\\u055f\\u0589\\u058a\\u05be\\u05c0\\u05c3\\u05c6\\u05f3\\u05f4\\u060c\\u060d\\u061b\\u061d-\\u061f' +
  '\\u066a-\\u066d\\u06d4\\u0964\\u0965\\u0970\\u0e3f\\u0e4f\\u0e5a\\u0e5b\\u0f04-\\u0f14\\u104a-\\u104f\\u10fb' +
  '\\u1361-\\u1368\\u17d4-\\u17d6\\u17d8-\\u17db\\u1800-\\u180a\\u2010-\\u2027\\u2030-\\u205e\\u20a0-\\u20cf' +
  '\\u2190-\\u2bff\\u2e00-\\u2e7f\\u3001-\\u3004\\u3008-\\u3020\\u3030\\u303d\\u30a0\\u30fb\\ufe10-\\ufe1f\\ufe30-\\ufe6f' +
  '\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff3e\\uff40\\uff5b-\\uff65\\uffe0-\\uffee\\ufffc\\ufffd\\u{1f000}-\\u{1faff}'

/** Blocks whose case pairs are as old as Unicode 7: Latin, Greek, Cyrillic, Armenian, their extensions, full-width letters. */
export const CASED_RANGES: [first: number, last: number][] = [
  [0x41, 0x5a],
  [0xc0, 0x556],
  [0x1e00, 0x1fff],
  [0xff21, 0xff3a],
]

const LOWER = lowerCaseTable()
const CAPITAL = new RegExp(`[${[...LOWER.keys()].join('')}]`, 'g')

/**
 * Lower case, one character for one: no context (final sigma is an ordinary sigma) and nothing grows (İ becomes i).
 */
export function lowerCase(text: string): string {
  return text.replace(CAPITAL, capital => LOWER.get(capital)!)
}

/** The same pattern for Python, which spells code points above U+FFFF with eight digits. */
export function pythonPattern(source: string): string {
  return source.replace(/\\u\{([0-9a-f]+)\}/g, (_, digits: string) => `\\U${digits.padStart(8, '0')}`)
}

function lowerCaseTable(): Map<string, string> {
  const table = new Map([['ς', 'σ']])
  for (const [first, last] of CASED_RANGES) {
    for (let code = first; code <= last; code++) {
      const capital = String.fromCharCode(code)
      const lower = capital.toLowerCase().charAt(0)
      if (lower !== capital) table.set(capital, lower)
    }
  }
  return table
}
