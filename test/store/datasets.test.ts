import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Execution } from '../../src/domain/execution.ts'
import type { Validation } from '../../src/domain/validation.ts'
import type { LoopApp } from '../../src/store/apps.ts'
import { appendExecutions, appendValidation, syncExecutions } from '../../src/store/datasets.ts'
import { appLayout, layout } from '../../src/store/layout.ts'
import { closeTorn, countUnreadable, findTorn } from '../../src/store/torn.ts'
import { temporaryFolder } from '../helpers/repository.ts'

test('executions go to the file of their own UTC day', () => {
  const app = emptyApp()
  for (const day of ['2026-01-01', '2026-01-02'])
    appendExecutions(app, day, lineAt(`${day}T12:00:00.000Z`), true)
  expect(readdirSync(app.paths.executions)).toEqual(['2026-01-01.jsonl', '2026-01-02.jsonl'])
})

test('a line that a crash has torn is closed, and spoils no other', () => {
  const app = emptyApp()
  mkdirSync(app.paths.executions, { recursive: true })
  const file = path.join(app.paths.executions, '2026-01-01.jsonl')
  writeFileSync(file, '{"execution_id":"torn')
  appendExecutions(app, '2026-01-01', lineAt('2026-01-01T10:00:00.000Z'))
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
  appendExecutions(app, '2026-01-01', lineAt('2026-01-01T10:00:00.000Z'))
  const next = readFileSync(path.join(app.paths.executions, '2026-01-01.1.jsonl'), 'utf8')
  expect(next.trim().split('\n')).toHaveLength(1)
})

test('nothing is written through a link, be it the file or a folder on the way to it', async () => {
  const app = { id: 'app-001', paths: layout(temporaryFolder()).app('app-001') }
  const elsewhere = temporaryFolder()
  const victim = path.join(elsewhere, 'profile')
  const file = path.join(app.paths.executions, '2026-01-01.jsonl')
  const lines = lineAt('2026-01-01T10:00:00.000Z')
  const isLink = expect.objectContaining({
    code: 'INTEGRITY',
    message: expect.stringMatching(/symbolic link/),
  })
  for (const link of [file, app.paths.executions, path.dirname(app.paths.executions), app.paths.directory]) {
    rmSync(app.paths.directory, { recursive: true, force: true })
    mkdirSync(path.dirname(link), { recursive: true })
    const target = link === file ? victim : elsewhere
    symlinkSync(target, link)
    writeFileSync(victim, 'mine')
    expect(() => appendExecutions(app, '2026-01-01', lines)).toThrow(isLink)
    await expect(syncExecutions(app, '2026-01-01')).rejects.toThrow(isLink)
    await expect(closeTorn(file)).rejects.toThrow(isLink)
    expect([await findTorn(app), await countUnreadable(app)]).toEqual([[], []])
    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect(readdirSync(elsewhere)).toEqual(['profile'])
  }
  rmSync(app.paths.directory)
  mkdirSync(app.paths.validations, { recursive: true })
  symlinkSync(victim, path.join(app.paths.validations, 'sampled.jsonl'))
  expect(() => appendValidation(app, {} as Validation)).toThrow(isLink)
  expect(readFileSync(victim, 'utf8')).toBe('mine')
})

function emptyApp(): LoopApp {
  return { id: 'app-001', paths: appLayout(temporaryFolder()) }
}

function lineAt(timestamp: string): string[] {
  return [`${JSON.stringify(at(timestamp))}\n`]
}

function at(timestamp: string): Execution {
  return { execution_id: 'x', timestamp, version: 1 } as Execution
}
