import { readFile } from 'node:fs/promises'
import { LoopaiError } from '../domain/errors.ts'
import { type HistoryEntry, isHistoryEntry } from '../domain/history.ts'
import type { LoopApp } from './apps.ts'

/** All entries, oldest first. Lines that a merge duplicated count once. */
export async function readHistory(app: LoopApp): Promise<HistoryEntry[]> {
  const entries = new Map<string, HistoryEntry>()
  const lines = (await readHistoryText(app)).split('\n')
  lines.forEach((line, index) => {
    if (line.trim() === '') return
    const entry = parseEntry(line)
    if (!entry) {
      throw new LoopaiError('INTEGRITY', `${app.paths.history}:${index + 1} is not a history entry`, {
        hint: 'restore the line from git, or remove a merge conflict by keeping both sides',
      })
    }
    entries.set(entry.id, entry)
  })
  return [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The file's content after one more entry. */
export async function historyWith(app: LoopApp, entry: HistoryEntry): Promise<string> {
  const before = await readHistoryText(app)
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  return `${before}${gap}${JSON.stringify(entry)}\n`
}

async function readHistoryText(app: LoopApp): Promise<string> {
  return readFile(app.paths.history, 'utf8').catch(error => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
}

function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isHistoryEntry(value) ? value : undefined
  } catch {
    return undefined
  }
}
