import path from 'node:path'

/** How a hint begins that runs git in a folder, wherever it is typed. */
export function gitIn(folder: string): string {
  const relative = path.relative(process.cwd(), folder)
  return relative === '' ? 'git' : `git -C ${typed(folder)}`
}

/** How to get a file back that git has. */
export function restoring(file: string): string {
  return `restore it with: ${gitIn(path.dirname(file))} checkout HEAD -- ${quoted(path.basename(file))}`
}

/** A path as a shell takes it: from here when it is below, else in full. */
export function typed(place: string): string {
  const relative = path.relative(process.cwd(), place) || '.'
  return quoted(relative.startsWith('..') ? place : relative)
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
