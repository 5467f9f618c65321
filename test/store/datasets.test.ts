import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Execution } from '../../src/domain/execution.ts'
import type { LoopApp } from '../../src/store/apps.ts'
import { appendExecutions } from '../../src/store/datasets.ts'
import { appLayout } from '../../src/store/layout.ts'
import { temporaryFolder } from '../helpers/repository.ts'

test('executions go to the file of their own UTC day', () => {
  const app = emptyApp()
  appendExecutions(app, [at('2026-01-01T23:59:59.999Z'), at('2026-01-02T00:00:00.000Z')], true)
  expect(readdirSync(app.paths.executions)).toEqual(['2026-01-01.jsonl', '2026-01-02.jsonl'])
})

test('a line that a crash has torn is closed, and spoils no other', () => {
  const app = emptyApp()
  mkdirSync(app.paths.executions, { recursive: true })
  const file = path.join(app.paths.executions, '2026-01-01.jsonl')
  writeFileSync(file, '{"execution_id":"torn')
  appendExecutions(app, [at('2026-01-01T10:00:00.000Z')])
  const [torn, whole] = readFileSync(file, 'utf8').split('\n')
  expect(torn).toBe('{"execution_id":"torn')
  expect(JSON.parse(whole!)).toMatchObject({ timestamp: '2026-01-01T10:00:00.000Z' })
})

test('a file that has reached 256 MiB is left alone, and the next one begun', () => {
  const app = emptyApp()
  mkdirSync(app.paths.executions, { recursive: true })
  const file = path.join(app.paths.executions, '2026-01-01.jsonl')
  writeFileSync(file, '')
  truncateSync(file, 256 * 1024 * 1024)
  appendExecutions(app, [at('2026-01-01T10:00:00.000Z')])
  const next = readFileSync(path.join(app.paths.executions, '2026-01-01.1.jsonl'), 'utf8')
  expect(next.trim().split('\n')).toHaveLength(1)
})

function emptyApp(): LoopApp {
  return { id: 'app-001', paths: appLayout(temporaryFolder()) }
}

function at(timestamp: string): Execution {
  return { execution_id: 'x', timestamp, version: 1 } as Execution
}
