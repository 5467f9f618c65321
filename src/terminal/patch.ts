import { count } from './count.ts'
import { printable } from './errors.ts'
import type { Style } from './style.ts'

/** What is shown of one file, unless all of it is asked for: a model is a file of one line that nobody reads. */
const MAX_LINES = 100
const MAX_COLUMNS = 200

/** A patch for the eye. Without `full`, long lines and long files are cut, and it is said how much is left out. */
export function describePatch(patch: string, style: Style, full = false): string[] {
  const sections = patch.split(/^(?=diff --git )/m).filter(Boolean)
  return sections.flatMap(section => {
    const lines = section.split('\n').slice(0, -1)
    const shown = full ? lines : lines.slice(0, MAX_LINES)
    const rest = lines.slice(shown.length)
    const more =
      rest.length > 0
        ? [style.dim(`… ${count(rest.length, 'more line')}, ${sizeOf(rest)}; all with --full`)]
        : []
    return [...shown.map(line => colour(full ? printable(line) : cut(line), style)), ...more]
  })
}

function cut(line: string): string {
  if (line.length <= MAX_COLUMNS) return printable(line)
  const left = line.slice(MAX_COLUMNS)
  return `${printable(line.slice(0, MAX_COLUMNS))} … ${sizeOf([left])} more`
}

function sizeOf(lines: string[]): string {
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, -1)
  return bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024).toLocaleString('en')} KB`
}

function colour(text: string, { bold, green, red }: Style): string {
  if (/^(diff|index|---|\+\+\+|new|deleted|similarity|old) /.test(text)) return bold(text)
  return text.startsWith('+') ? green(text) : text.startsWith('-') ? red(text) : text
}
