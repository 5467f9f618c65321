import type { Stats } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'
import { type HistoryEntry, isHistoryEntry, type Lifecycle, lifecycleOf } from '../domain/history.ts'
import type { LoopApp } from './apps.ts'
import { conflictIn, isMarker } from './conflict.ts'
import { fingerprint } from './fingerprint.ts'
import { restoring } from './git-words.ts'
import { readPlainText } from './plain.ts'

/** One line is half a kilobyte. */
const MAX_BYTES = 64 * 1024 * 1024

/** All entries, oldest first. Lines that a merge duplicated count once. */
export async function readHistory(app: LoopApp): Promise<HistoryEntry[]> {
  return readHistoryNow(app)
}

/** The same without a promise, and what the file looked like, for whoever reads thousands. */
export function readHistoryNow(app: LoopApp, look?: (stat: Stats) => void): HistoryEntry[] {
  return parseHistory(app, readHistoryText(app, look))
}

export function lostHistory({ id, paths }: LoopApp): LoopaiError {
  return new LoopaiError('INTEGRITY', `the history of ${id} is missing, although it was committed`, {
    hint: restoring(paths.history),
  })
}

/** A function that says what state an app is in, and costs one `stat` while the history stays as it is. */
export function watchLifecycle(app: LoopApp): () => Lifecycle {
  let seen: string | undefined
  let lifecycle: Lifecycle = 'active'
  return () => {
    const now = fingerprint(app.paths.history)
    // A history that is just being merged may be missing or broken: what was known stays true until it can be read again.
    if (now === undefined || now === seen) return lifecycle
    seen = now
    lifecycle = tryLifecycle(app) ?? lifecycle
    return lifecycle
  }
}

function tryLifecycle(app: LoopApp): Lifecycle | undefined {
  try {
    return lifecycleOf(parseHistory(app, readPlainText(app.paths.history, MAX_BYTES)))
  } catch {
    return undefined
  }
}

function parseHistory(app: LoopApp, text: string): HistoryEntry[] {
  const entries = new Map<string, HistoryEntry>()
  const lines = text.split('\n')
  lines.forEach((line, index) => {
    if (line.trim() === '') return
    const entry = parseEntry(line)
    if (!entry && isMarker(line))
      throw conflictIn(app.paths.history, index + 1, 'keep the lines of both sides')
    if (!entry) {
      throw new LoopaiError('INTEGRITY', `${app.paths.history}:${index + 1} is not a history entry`, {
        hint: 'restore the line from git',
      })
    }
    entries.set(entry.id, entry)
  })
  return [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The file's content after one more entry. */
export async function historyWith(app: LoopApp, entry: HistoryEntry): Promise<string> {
  const before = readHistoryText(app)
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  return `${before}${gap}${JSON.stringify(entry)}\n`
}

export async function readHistoryLines(app: LoopApp): Promise<string[]> {
  return readHistoryText(app).split('\n')
}

function readHistoryText(app: LoopApp, look?: (stat: Stats) => void): string {
  try {
    return readPlainText(app.paths.history, MAX_BYTES, look)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    if (error instanceof LoopaiError) throw error
    throw new LoopaiError('INTEGRITY', `${app.paths.history} cannot be read: ${message}`, { cause: error })
  }
}

function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isHistoryEntry(value) ? value : undefined
  } catch {
    return undefined
  }
}
