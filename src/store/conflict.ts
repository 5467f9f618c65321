import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { gitIn, quoted } from './git-words.ts'

/** What git writes into a file that both sides of a merge have changed. */
const MARKER = /^(<{7}|={7}|>{7})( |$)/

export function isMarker(line: string): boolean {
  return MARKER.test(line)
}

/** Number of the first line that is a marker, if there is one. */
export function findMarker(text: string): number | undefined {
  const index = text.split('\n').findIndex(isMarker)
  return index < 0 ? undefined : index + 1
}

export function conflictIn(file: string, line: number, how: string): LoopaiError {
  const adding = `${gitIn(path.dirname(file))} add ${quoted(path.basename(file))}`
  return new LoopaiError('CONFLICT', `${file}:${line} has a conflict that a merge has left`, {
    hint: `${how}, take the markers out, then: ${adding}`,
  })
}
