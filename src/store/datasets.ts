import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Execution } from '../domain/execution.ts'
import type { LoopApp } from './apps.ts'
import { explainWriteError } from './atomic.ts'

/** Appends one line to the file of the execution's UTC day: complete or absent. Throws when it cannot; the caller says so. */
export function appendExecution(app: LoopApp, execution: Execution): void {
  const file = path.join(app.paths.executions, `${execution.timestamp.slice(0, 10)}.jsonl`)
  const line = `${JSON.stringify(execution)}\n`
  try {
    appendFileSync(file, line)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainWriteError(error, file)
    try {
      mkdirSync(app.paths.executions, { recursive: true })
      appendFileSync(file, line)
    } catch (second) {
      throw explainWriteError(second, file)
    }
  }
}
