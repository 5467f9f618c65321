import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Execution } from '../domain/execution.ts'
import type { LoopApp } from './apps.ts'
import { explainWriteError } from './atomic.ts'

/**
 * Appends lines to the files of their UTC days, each file with a single write: complete or absent. Throws when it cannot; the caller says so.
 */
export function appendExecutions(app: LoopApp, executions: Execution[]): void {
  const days = new Map<string, string>()
  for (const execution of executions) {
    const day = execution.timestamp.slice(0, 10)
    days.set(day, `${days.get(day) ?? ''}${JSON.stringify(execution)}\n`)
  }
  for (const [day, lines] of days) append(app.paths.executions, `${day}.jsonl`, lines)
}

function append(folder: string, name: string, lines: string): void {
  const file = path.join(folder, name)
  try {
    appendFileSync(file, lines)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainWriteError(error, file)
    try {
      mkdirSync(folder, { recursive: true })
      appendFileSync(file, lines)
    } catch (second) {
      throw explainWriteError(second, file)
    }
  }
}
