import { open } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Json } from '../domain/json.ts'
import { findChangedNumbers, isChangedInteger, WRITE_AS_STRING } from '../domain/numbers.ts'
import { isMarker } from './conflict.ts'
import { readLines } from './lines.ts'
import { readPlain } from './plain.ts'
import { decodeText, decodeUtf8, explainReadError, isMarkedUtf16, refuseForeign } from './text.ts'

/** One row of a file of rows, and where it stands. */
export interface Row {
  line: number
  value: Json
}

interface Problem {
  line: number
  message: string
}

export const ROW_HINT =
  'one JSON object a line, {"input": {…}, "output": …}; for other columns name the answers with --label'

/** Longest line of a JSONL file, and largest file, in bytes. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
const MAX_BYTES = 512 * 1024 * 1024
/** Lines that are named in one error. */
const NAMED = 10

/**
 * The rows of a JSONL file, a JSON array, or a CSV or TSV table with a line of names; `-` is standard input. The ending of the name says which
 * it is, else the first character. In a table, cells are numbers where a whole column is, but for the columns that `keepText` names.
 */
export async function readRows(
  file: string,
  keepText: (names: string[]) => Set<string>,
  read: (file: string) => Promise<Buffer> = readAny,
): Promise<{ name: string; bytes: Buffer; rows: Row[] }> {
  const name = file === '-' ? 'stdin' : file
  const bytes = await read(file)
  const kind = kindOf(file, bytes)
  if (kind === 'lines' || !isMarkedUtf16(bytes)) refuseForeign(bytes, name)
  const rows =
    kind === 'lines'
      ? await rowsOfLines(bytes, name)
      : kind === 'array'
        ? rowsOfArray(decodeText(bytes, name), name)
        : await rowsOfTable(decodeText(bytes, name), { name, keepText })
  return { name, bytes, rows }
}

/** What a file of the data directory holds. */
export async function readOwn(file: string): Promise<Buffer> {
  try {
    return readPlain(file, MAX_BYTES)
  } catch (error) {
    throw explainReadError(error, file)
  }
}

export function linesError(file: string, problems: Problem[], hint: string): LoopaiError {
  const shown = problems.slice(0, NAMED).map(({ line, message }) => `${file}:${line}: ${message}`)
  const rest = problems.length > NAMED ? [`… and ${problems.length - NAMED} more`] : []
  const count = problems.length === 1 ? '1 row does not fit' : `${problems.length} rows do not fit`
  return new LoopaiError('INVALID_EXAMPLES', [`${file}: ${count}`, ...shown, ...rest].join('\n'), {
    hint,
    details: { count: problems.length, lines: problems.slice(0, NAMED).map(problem => problem.line) },
  })
}

async function readAny(file: string): Promise<Buffer> {
  return file === '-' ? readStream(process.stdin, 'stdin') : readWhole(file)
}

async function readStream(stream: AsyncIterable<Buffer>, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BYTES) throw tooLarge(name)
  }
  return Buffer.concat(chunks)
}

async function readWhole(file: string): Promise<Buffer> {
  const handle = await open(file, 'r').catch(error => {
    throw explainReadError(error, file)
  })
  try {
    if ((await handle.stat()).size > MAX_BYTES) throw tooLarge(file)
    return await handle.readFile()
  } catch (error) {
    throw explainReadError(error, file)
  } finally {
    await handle.close()
  }
}

function tooLarge(name: string): LoopaiError {
  return new LoopaiError('FILE_UNREADABLE', `${name} is larger than ${MAX_BYTES / 1024 / 1024} MB`, {
    hint: 'a sample of the rows teaches as much: shuf -n 100000',
  })
}

type Kind = 'lines' | 'array' | 'table'
const KINDS: Record<string, Kind> = {
  '.jsonl': 'lines',
  '.ndjson': 'lines',
  '.json': 'array',
  '.csv': 'table',
  '.tsv': 'table',
}

function kindOf(file: string, bytes: Buffer): Kind {
  const named = KINDS[path.extname(file).toLowerCase()]
  if (named) return named
  const first = bytes
    .subarray(0, 1000)
    .toString()
    .replace(/^\ufeff/, '')
    .trimStart()[0]
  return first === '[' ? 'array' : first === '{' || first === undefined ? 'lines' : 'table'
}

async function rowsOfLines(content: Buffer, name: string): Promise<Row[]> {
  const rows: Row[] = []
  const problems: Problem[] = []
  for await (const { number, bytes } of readLines(chunksOf(content), MAX_LINE_BYTES)) {
    if (!bytes) {
      problems.push({ line: number, message: `is longer than ${MAX_LINE_BYTES / 1024 / 1024} MB` })
      continue
    }
    if (bytes.length === 0) continue
    try {
      const text = decodeUtf8(bytes, `${name}:${number}`)
      rows.push({ line: number, value: JSON.parse(text) })
      for (const problem of problemsOf(text)) problems.push({ ...problem, line: number })
    } catch (error) {
      if (error instanceof LoopaiError) throw error
      const isConflict = isMarker(bytes.toString())
      const why = isConflict
        ? 'is a conflict that a merge has left'
        : `is not JSON: ${(error as Error).message}`
      problems.push({ line: number, message: why })
    }
  }
  if (problems.length > 0) throw linesError(name, problems, ROW_HINT)
  return rows
}

/** What JSON allows and no row may have. */
function problemsOf(text: string): Problem[] {
  const index = text.search(PROTO)
  if (index >= 0) return withLines(text, [{ index, message: `has a property ${NO_PROTO}` }])
  const found = findChangedNumbers(text)
  return withLines(
    text,
    found.map(({ index, message }) => ({ index, message: `${message}; ${WRITE_AS_STRING}` })),
  )
}

/** In the order of their places, so that the lines before them are counted once. */
function withLines(text: string, found: { index: number; message: string }[]): Problem[] {
  let line = 1
  let at = 0
  return found.map(({ index, message }) => {
    for (; at < index; at++) if (text[at] === '\n') line++
    return { line, message }
  })
}

/** `serve` takes no input that has it. */
const PROTO = /"(?:_|\\u005[fF]){2}proto(?:_|\\u005[fF]){2}"\s*:/
const NO_PROTO = '__proto__, which no input may have; rename it'

async function* chunksOf(content: Buffer): AsyncGenerator<Buffer> {
  yield content
}

function rowsOfArray(text: string, name: string): Row[] {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new LoopaiError('INVALID_EXAMPLES', `${name} is not JSON: ${(error as Error).message}`, {
      hint: ROW_HINT,
    })
  }
  if (!Array.isArray(value)) {
    throw new LoopaiError('INVALID_EXAMPLES', `${name} is not a JSON array`, {
      hint: 'name it .jsonl if it has one object a line',
    })
  }
  const problems = problemsOf(text)
  if (problems.length > 0) throw linesError(name, problems, ROW_HINT)
  return value.map((item, index) => ({ line: index + 1, value: item }))
}

async function rowsOfTable(
  text: string,
  { name, keepText }: { name: string; keepText: (names: string[]) => Set<string> },
): Promise<Row[]> {
  const { parse } = await import('csv-parse/sync')
  try {
    // What a spreadsheet writes for itself before the names.
    const told = /^\ufeff?"?sep=(.)"?\r?\n/i.exec(text)
    const options = {
      bom: true,
      columns: (names: string[]) => columnsOf(names),
      skip_empty_lines: true,
      info: true,
      delimiter: told?.[1] ?? delimiterOf(text),
      from_line: told ? 2 : 1,
    }
    const records = parse(text, options) as unknown as {
      record: Record<string, string>
      info: { lines: number }
    }[]
    const kept = keepText(Object.keys(records[0]?.record ?? {}))
    const numeric = numericColumns(records.map(({ record }) => record)).filter(column => !kept.has(column))
    return records.map(({ record, info }) => ({ line: info.lines, value: typed(record, new Set(numeric)) }))
  } catch (error) {
    throw new LoopaiError('INVALID_EXAMPLES', `${name}: ${(error as Error).message}`, {
      hint: 'the first line names the columns, and every line has as many of them',
      cause: error,
    })
  }
}

/** A name that is there twice would hide the cells of the column that has it first, and a `__proto__` would vanish. */
function columnsOf(names: string[]): string[] {
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === '') throw new Error('several columns have no name')
  if (twice !== undefined) throw new Error(`the column ${JSON.stringify(twice)} is there twice`)
  if (names.includes('__proto__')) throw new Error(`there is a column ${NO_PROTO}`)
  return names
}

/** Tab, semicolon (as spreadsheets write where the comma is in numbers) or comma: whichever the line of names has most of. */
function delimiterOf(text: string): string {
  const names = text.slice(0, text.search(/\r|\n|$/)).replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t'].map(delimiter => ({ delimiter, count: names.split(delimiter).length }))
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter
}

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/

/** Columns in which every filled cell is a number that we can tell from its neighbours. */
function numericColumns(records: Record<string, string>[]): string[] {
  const names = Object.keys(records[0] ?? {})
  const isNumber = (cell: string) => NUMBER.test(cell) && !isChangedInteger(cell)
  return names.filter(
    name =>
      records.every(record => !record[name] || isNumber(record[name])) &&
      records.some(record => record[name]),
  )
}

/** Numbers as numbers; an empty cell of a numeric column is null. */
function typed(record: Record<string, string>, numeric: Set<string>): Json {
  const cell = (name: string, text: string): Json =>
    !numeric.has(name) ? text : text === '' ? null : Number(text)
  return Object.fromEntries(Object.entries(record).map(([name, text]) => [name, cell(name, text)]))
}
