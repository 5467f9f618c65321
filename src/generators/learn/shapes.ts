/**
 * Private things, as patterns over lower-case text. Every pattern is linear: whatever repeats is either bounded or cannot be
 * matched in two ways. The sources mean the same in JavaScript and Python.
 */
const DIGIT = '0-9\\u0660-\\u0669\\u06f0-\\u06f9\\u0966-\\u096f\\u09e6-\\u09ef\\uff10-\\uff19'
/** Letters of scripts that put blanks between words: a link ends where Chinese or Japanese text goes on. */
const LETTER = '\\xa1-\\u1fff'

export const SHAPES = {
  link: `(?:https?://|www\\.)[!-~${LETTER}]+`,
  mail: `[0-9a-z._%+\\-${LETTER}]{1,64}@[0-9a-z.\\-${LETTER}]+`,
  /** In one piece, or in groups of four that each have a digit. */
  iban:
    '(?<![0-9a-z])[a-z]{2}[0-9]{2}' +
    '(?:[0-9a-z]{11,30}|\\x20[0-9a-z]{4}(?:\\x20(?=[a-z]{0,3}[0-9])[0-9a-z]{4}){2,7}(?:\\x20[0-9]{1,4})?)(?![0-9a-z])',
  /** Five and more digits, single separators included: `12345`, `0845 281-00`, `4111 1111 1111 1111`. */
  number: `[${DIGIT}](?:[\\x20.,/\\-]?[${DIGIT}]){4,}`,
}

const LINK = new RegExp(SHAPES.link, 'gu')
const MAIL = new RegExp(SHAPES.mail, 'gu')
const IBAN = new RegExp(SHAPES.iban, 'gu')
const NUMBER = new RegExp(SHAPES.number, 'gu')

/** Replaces what could identify somebody by its kind, so that no program ever contains it. Numbers keep their count of digits. */
export function replacePrivate(lowerCaseText: string): string {
  const withoutLinks = lowerCaseText.replace(LINK, ' _link_ ')
  const withoutMail = withoutLinks.includes('@') ? withoutLinks.replace(MAIL, ' _mail_ ') : withoutLinks
  return withoutMail
    .replace(IBAN, ' _iban_ ')
    .replace(NUMBER, number => ` _number${number.replace(/[ .,/-]/g, '').length}_ `)
}
