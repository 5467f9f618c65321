import {
  closeSync,
  constants,
  createReadStream,
  fdatasync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  readSync,
  writeSync,
} from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Execution } from '../domain/execution.ts'
import { isObject } from '../domain/json.ts'
import type { Validation } from '../domain/validation.ts'
import type { LoopApp } from './apps.ts'
import { explainWriteError } from './atomic.ts'
import { type Line, readLines } from './lines.ts'
import { openRecords, refuseLinks } from './links.ts'

/** At this size the file of a day is left alone and the next one begun: `2025-10-29.1.jsonl`. */
const MAX_FILE_BYTES = 256 * 1024 * 1024

/**
 * Appends whole lines to the file of a UTC day (`2025-10-29`) with a single write: complete or absent. With `sync` they are on the disk when
 * it returns. Throws when it cannot; the caller says so.
 */
export function appendExecutions(app: LoopApp, day: string, lines: string[], sync = false): void {
  const folder = app.paths.executions
  append(folder, currentFile(folder, day), lines, sync)
}

/** Brings what was appended on a day to the disk, without holding anything up. */
export async function syncExecutions(app: LoopApp, day: string): Promise<void> {
  const folder = app.paths.executions
  const handle = openRecords(path.join(folder, currentFile(folder, day)), constants.O_RDWR)
  try {
    await promisify(fdatasync)(handle)
  } finally {
    closeSync(handle)
  }
}

function currentFile(folder: string, day: string): string {
  for (let part = 0; ; part++) {
    const name = part === 0 ? `${day}.jsonl` : `${day}.${part}.jsonl`
    const size = lstatSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0
    if (size < MAX_FILE_BYTES) return name
  }
}

export function appendValidation(app: LoopApp, validation: Validation): void {
  append(app.paths.validations, 'sampled.jsonl', [`${JSON.stringify(validation)}\n`])
}

/** Executions since a UTC day (`2025-10-29`), in the order in which they were written. Lines that are torn are skipped. */
export async function* readExecutions(app: LoopApp, since: string): AsyncGenerator<Execution> {
  for (const file of await listFiles(app.paths.executions, name => name.slice(0, 10) >= since)) {
    yield* readRecords<Execution>(file)
  }
}

/** The last `most` executions or fewer, oldest first. Of long files only the lines that are wanted are parsed. */
export async function readLatestExecutions(app: LoopApp, most: number): Promise<Execution[]> {
  let latest: Execution[] = []
  for (const file of (await listFiles(app.paths.executions, () => true)).reverse()) {
    const missing = most - latest.length
    if (missing <= 0) break
    const lines: Buffer[] = []
    for await (const { bytes } of readRecordLines(file)) {
      if (bytes) lines.push(bytes)
      if (lines.length >= 2 * missing) lines.splice(0, lines.length - missing)
    }
    const executions = lines.slice(-missing).map(line => parseRecord<Execution>(line))
    latest = [...executions.filter(execution => execution !== undefined), ...latest]
  }
  return latest
}

/** The execution with this id, which is looked for on the days around the time that is written in the id. */
export async function findExecution(app: LoopApp, id: string): Promise<Execution | undefined> {
  const days = daysAround(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16))
  for (const file of await listFiles(app.paths.executions, name => days.includes(name.slice(0, 10)))) {
    for await (const line of readRecordLines(file)) {
      if (line.bytes?.includes(id) !== true) continue
      const execution = parseRecord<Execution>(line.bytes)
      if (execution?.execution_id === id) return execution
    }
  }
}

const MAX_LINE_BYTES = 64 * 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1000
const NEWLINE = 10

function append(folder: string, name: string, lines: string[], sync = false): void {
  const file = path.join(folder, name)
  try {
    writeLines(file, lines, sync)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainWriteError(error, file)
    try {
      refuseLinks(folder)
      mkdirSync(folder, { recursive: true })
      writeLines(file, lines, sync)
    } catch (second) {
      throw explainWriteError(second, file)
    }
  }
}

let buffer = Buffer.allocUnsafeSlow(1 << 20)
const MAX_BYTES_PER_UNIT = 3

/** The lines as UTF-8, until the next call: fresh memory for every batch costs as much again. */
function encode(lines: string[]): Buffer {
  let size = 0
  for (const line of lines) {
    const most = size + MAX_BYTES_PER_UNIT * line.length
    if (most > buffer.length) buffer = Buffer.concat([buffer.subarray(0, size)], 2 * most)
    size += buffer.write(line, size)
  }
  return buffer.subarray(0, size)
}

/** A line that a crash has torn is closed first, so that it spoils no other. */
function writeLines(file: string, lines: string[], sync: boolean): void {
  const handle = openRecords(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT)
  try {
    const { size } = fstatSync(handle)
    const last = Buffer.alloc(1)
    const isTorn = size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE
    const bytes = encode(isTorn ? ['\n', ...lines] : lines)
    const written = writeSync(handle, bytes)
    if (written < bytes.length) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
    if (sync) fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

async function listFiles(folder: string, isWanted: (name: string) => boolean): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[])
  const wanted = names.filter(name => /^\d{4}-\d\d-\d\d(\.\d+)?\.jsonl$/.test(name) && isWanted(name))
  return wanted
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map(name => path.join(folder, name))
}

async function* readRecords<Value>(file: string): AsyncGenerator<Value> {
  for await (const { bytes } of readRecordLines(file)) {
    const value = bytes && parseRecord<Value>(bytes)
    if (value) yield value
  }
}

function readRecordLines(file: string): AsyncGenerator<Line> {
  const fd = openRecords(file, constants.O_RDONLY)
  return readLines(createReadStream(file, { fd }), MAX_LINE_BYTES)
}

/** We wrote it: what parses has the fields that it should have. */
function parseRecord<Value>(bytes: Buffer): Value | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return isObject(value) ? (value as Value) : undefined
  } catch {
    return undefined
  }
}

function daysAround(time: number): string[] {
  if (!(time >= 0 && time < 8e15)) return []
  return [time - DAY_MS, time, time + DAY_MS].map(day =>
    new Date(Math.max(0, day)).toISOString().slice(0, 10),
  )
}
