/** A number of a JSON text that becomes another one when it is read. */
export interface ChangedNumber {
  text: string
  /** Where it begins in the text. */
  index: number
  message: string
}

/** What to do about one. */
export const WRITE_AS_STRING = 'write it as a string'

/**
 * The numbers of a JSON text that have no equal among double-precision ones: integers beyond 2^53, most of them, and what is larger than
 * any. Fractions are rounded as everywhere. For text without such numbers it takes one look at every character.
 */
export function findChangedNumbers(text: string): ChangedNumber[] {
  if (!CANDIDATE.test(text)) return []
  const found: ChangedNumber[] = []
  let inString = false
  let at = 0
  for (const { 0: token, index } of text.matchAll(NUMBER)) {
    for (; at < index; at++) {
      if (text[at] === '"') inString = !inString
      else if (text[at] === '\\') at++
    }
    const reason = inString ? undefined : changeOf(token)
    if (reason) found.push({ text: token, index, message: `${shortened(token)} ${reason}` })
  }
  return found
}

/** Whether this is an integer that no number of ours is. */
export function isChangedInteger(text: string): boolean {
  return /^-?[0-9]{16,}$/.test(text) && String(Number(text)) !== text
}

/** Without one of these in it, a text has no such number. */
const CANDIDATE = /[0-9]{16}|[eE]\+?[0-9]{3}/
const NUMBER = /(?<![-+.eE0-9])-?[0-9][-+.eE0-9]{4,}/g

function changeOf(token: string): string | undefined {
  if (isChangedInteger(token)) return 'is larger than 2^53 and would be changed'
  if (Math.abs(Number(token)) === Infinity) return 'is larger than any number here'
}

function shortened(token: string): string {
  return token.length > 40 ? `${token.slice(0, 40)}…` : token
}
