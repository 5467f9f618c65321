import {
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  YAMLException,
} from 'js-yaml'
import { LoopaiError } from '../domain/errors.ts'
import { pointerSegment } from '../domain/pointer.ts'
import type { Problem } from '../domain/problems.ts'
import { conflictIn, findMarker } from './conflict.ts'

/** A YAML document and the way back from a JSON pointer to the place in its text. */
export interface YamlDocument {
  value: unknown
  /** `line:column`, both from 1, of the value at a pointer, or of its nearest known parent. */
  position: (pointer: string) => string
}

/** References to anchors in one document: enough for people, too few to blow up. */
const MAX_ALIASES = 20

/** Reads YAML 1.2 (core schema: no dates, `yes` is a string). `name` is what error messages call it. */
export function parseYaml(text: string, name: string): YamlDocument[] {
  try {
    const events = parseEvents(text, { filename: name })
    const values = constructFromEvents(events, { source: text, filename: name, maxAliases: MAX_ALIASES })
    const places = documentPlaces(events, text)
    return values.map((value, i) => ({ value, position: pointer => positionOf(pointer, places[i]!, text) }))
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const marker = findMarker(text)
    if (marker !== undefined) throw conflictIn(name, marker, 'choose between the sides')
    const where = error.mark ? `:${error.mark.line + 1}:${error.mark.column + 1}` : ''
    const snippet = error.mark?.snippet ? `\n${error.mark.snippet}` : ''
    throw new LoopaiError('INVALID_YAML', `${name}${where}: ${error.reason}${snippet}`, {
      hint: 'correct the file there; a value with : or # in it needs quotes, an open bracket its partner',
      cause: error,
    })
  }
}

/** One error for all problems of a document, each with its place in the file. */
export function configError(name: string, document: YamlDocument, problems: Problem[]): LoopaiError {
  const lines = problems.map(
    ({ pointer, message }) => `${name}:${document.position(pointer)}: ${pointer || '/'} ${message}`,
  )
  return new LoopaiError('INVALID_CONFIG', lines.join('\n'), {
    hint: 'docs/formats.md lists every key; editors check the file with schemas/config.schema.json',
    details: { problems },
  })
}

type Places = Map<string, number>
interface Level {
  pointer: string
  isMapping: boolean
  index: number
  key?: string
}

/** For each document, the offset of each value by its JSON pointer. */
function documentPlaces(events: Event[], text: string): Places[] {
  const documents: Places[] = []
  let stack: Level[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents.push(new Map())
      stack = []
    } else if (event.type === EVENT_ID.POP) {
      stack.pop()
    } else {
      const level = stack.at(-1)
      const start = startOf(event)
      if (level?.isMapping && level.key === undefined) {
        level.key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : '?'
        documents.at(-1)!.set(`${level.pointer}/${pointerSegment(level.key)}`, start)
        continue
      }
      const pointer = level ? `${level.pointer}/${pointerSegment(level.key ?? String(level.index))}` : ''
      if (!documents.at(-1)!.has(pointer)) documents.at(-1)!.set(pointer, start)
      if (level) {
        level.index++
        delete level.key
      }
      if (event.type === EVENT_ID.MAPPING) stack.push({ pointer, isMapping: true, index: 0 })
      if (event.type === EVENT_ID.SEQUENCE) stack.push({ pointer, isMapping: false, index: 0 })
    }
  }
  return documents
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : 0
}

function positionOf(pointer: string, places: Places, text: string): string {
  let known = pointer
  while (known && !places.has(known)) known = known.slice(0, known.lastIndexOf('/'))
  const before = text.slice(0, Math.max(0, places.get(known) ?? 0)).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}
