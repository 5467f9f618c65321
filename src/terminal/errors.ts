import { LoopaiError } from '../domain/errors.ts'
import { createStyle, hasColours } from './style.ts'
import type { GlobalFlags } from './terminal.ts'

type ErrorFlags = Pick<GlobalFlags, 'json' | 'color' | 'verbose'>

/** Prints what went wrong, for a person or, with `--json`, as one line. Returns the exit status. */
export async function printError(error: unknown, flags: ErrorFlags): Promise<number> {
  const { stderr } = process
  if (error instanceof LoopaiError) {
    const { code, message, hint, details } = error
    if (flags.json) {
      stderr.write(`${JSON.stringify({ error: { code, message, ...(hint && { hint }), details } })}\n`)
      return error.exit
    }
    const style = await createStyle(hasColours(stderr, process.env, flags.color))
    stderr.write(`${style.red('error:')} ${printable(message)}\n`)
    if (hint) stderr.write(`${style.yellow('hint:')} ${hint}\n`)
    if (flags.verbose) stderr.write(`${printable(background(error))}\n`)
    return error.exit
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (flags.json) stderr.write(`${JSON.stringify({ error: { code: 'BUG', message: text, details: {} } })}\n`)
  else stderr.write(`this is a bug in loopai; please report it with what you typed\n${text}\n`)
  return 1
}

/** For `--verbose`: the code, what is known beside the message, and what was behind it. */
function background({ code, details, cause }: LoopaiError): string {
  const known = Object.keys(details).length > 0 ? [JSON.stringify(details, null, 2)] : []
  const behind = cause instanceof Error ? [`because of ${cause.stack ?? cause.message}`] : []
  return [`code: ${code}`, ...known, ...behind].join('\n')
}

/** A program's message may hold terminal escapes; nobody's terminal is to obey them. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to show instead of sending them
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, character => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
