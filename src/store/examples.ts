import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { isObject, type Json } from '../domain/json.ts'
import { closest } from '../domain/problems.ts'
import { type Columns, exampleOfRow, findLabelColumn } from '../domain/rows.ts'
import type { LoopApp } from './apps.ts'
import { readLines } from './lines.ts'
import type { Validator } from './schemas.ts'
import { decodeUtf8, explainReadError, readText } from './text.ts'

/** A labelled row and where it stands. */
export interface PlacedExample extends Example {
  line: number
  id?: string
}

export interface ExampleFile {
  /** Relative to the app's folder where it is one of the app's files. */
  path: string
  sha256: string
  rows: PlacedExample[]
}

/** Longest line of a JSONL file, and largest CSV file, in bytes. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
const MAX_TABLE_BYTES = 512 * 1024 * 1024
/** Lines that are named in one error. */
const NAMED = 10

/** The app's labelled rows, file by file in the order of their names. */
export async function readExamples(app: LoopApp): Promise<ExampleFile[]> {
  const names = await readdir(app.paths.examples).catch(() => [] as string[])
  const files = names.filter(name => name.endsWith('.jsonl')).sort()
  return Promise.all(
    files.map(async name => ({
      ...(await readRows(path.join(app.paths.examples, name))),
      path: `datasets/examples/${name}`,
    })),
  )
}

/** Rows that are about to become a file of the app. */
export interface NewExampleFile extends ExampleFile {
  content: string
}

/** Named after where the rows come from and what they are, so that the same rows are the same file. */
export function exampleFileOf(source: string, rows: Example[]): NewExampleFile {
  const content = rows.map(({ input, output }) => `${JSON.stringify({ input, output })}\n`).join('')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const base = path.basename(source, path.extname(source)).replace(/[^A-Za-z0-9_-]+/g, '-') || 'rows'
  const placed = rows.map((row, index) => ({ ...row, line: index + 1 }))
  return { path: `datasets/examples/${base}-${sha256.slice(0, 8)}.jsonl`, sha256, rows: placed, content }
}

/** Golden cases of an app; none when it has no such file. */
export async function readCases(app: LoopApp): Promise<PlacedExample[]> {
  return existsSync(app.paths.cases) ? readCaseFile(app.paths.cases) : []
}

/** Golden cases of a file, which may be empty. */
export async function readCaseFile(file: string): Promise<PlacedExample[]> {
  return (await readRows(file)).rows
}

/** As `readExampleFile`, and a file without rows is refused. */
export async function readExampleFile(file: string, columns: Columns = {}): Promise<ExampleFile> {
  const found = await readRows(file, columns)
  if (found.rows.length > 0) return found
  throw new LoopaiError('NO_EXAMPLES', `${file} has no rows`, { hint: ROW_HINT })
}

/** Reads JSONL, a JSON array, CSV or TSV. Every row must have an answer; the error names the lines that have none. */
async function readRows(file: string, columns: Columns = {}): Promise<ExampleFile> {
  const kind = path.extname(file).toLowerCase()
  const isTable = kind === '.csv' || kind === '.tsv'
  const rows = isTable
    ? await readTable(file, kind)
    : kind === '.json'
      ? await readArray(file)
      : await readJsonLines(file)
  refuseUnknownColumns(file, rows, columns)
  const placed = rows.map(({ line, value }) => ({ line, value, example: exampleOfRow(value, columns) }))
  const unanswered = placed.filter(row => !row.example)
  if (unanswered.length > 0) {
    const problems = unanswered.map(row => ({ line: row.line, message: 'has no answer' }))
    throw linesError(file, problems, ROW_HINT)
  }
  return {
    path: file,
    sha256: createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
    rows: placed.map(row => ({ ...row.example!, line: row.line, ...idOf(row.value) })),
  }
}

/** A column that no row has is one mistake of whoever named it, not one of every row. */
function refuseUnknownColumns(file: string, rows: Row[], { label, map = {} }: Columns): void {
  const names = [...new Set(rows.flatMap(({ value }) => (isObject(value) ? Object.keys(value) : [])))]
  if (names.length === 0) return
  const wanted = [...(label === undefined ? [] : [label]), ...Object.keys(map)]
  const missing = wanted.find(name => !names.includes(name))
  const columns = `its columns: ${names.slice(0, 20).join(', ')}`
  if (missing !== undefined) {
    const like = closest(missing, names)
    throw new LoopaiError('INVALID_EXAMPLES', `${file} has no column ${JSON.stringify(missing)}`, {
      hint: like ? `did you mean ${like}? ${columns}` : columns,
    })
  }
  if (label !== undefined || findLabelColumn(names) !== undefined) return
  throw new LoopaiError('INVALID_EXAMPLES', `${file} does not say which column holds the answers`, {
    hint: `name it with --label; ${columns}`,
  })
}

/** Refuses rows that do not fit the schemas: the first ten by line, and the count. */
export function checkExamples(
  file: string,
  rows: PlacedExample[],
  input: Validator,
  output: Validator,
): void {
  const problems = rows.flatMap(row => {
    const found = [
      ...input(row.input).map(problem => ({ ...problem, side: 'input' })),
      ...output(row.output).map(problem => ({ ...problem, side: 'output' })),
    ]
    const first = found[0]
    return first ? [{ line: row.line, message: `${first.side}${first.pointer} ${first.message}` }] : []
  })
  if (problems.length > 0) {
    throw linesError(
      file,
      problems,
      `rows must fit the input_schema and the output_schema; correct them or the schemas`,
    )
  }
}

const ROW_HINT =
  'one JSON object a line, {"input": {…}, "output": …}; for other columns name the answers with --label'

function linesError(file: string, problems: { line: number; message: string }[], hint: string): LoopaiError {
  const shown = problems.slice(0, NAMED).map(({ line, message }) => `${file}:${line}: ${message}`)
  const rest = problems.length > NAMED ? [`… and ${problems.length - NAMED} more`] : []
  const count = problems.length === 1 ? '1 row does not fit' : `${problems.length} rows do not fit`
  return new LoopaiError('INVALID_EXAMPLES', [`${file}: ${count}`, ...shown, ...rest].join('\n'), {
    hint,
    details: { count: problems.length, lines: problems.slice(0, NAMED).map(problem => problem.line) },
  })
}

interface Row {
  line: number
  value: Json
}

async function readJsonLines(file: string): Promise<Row[]> {
  const rows: Row[] = []
  const problems: { line: number; message: string }[] = []
  try {
    for await (const { number, bytes } of readLines(createReadStream(file), MAX_LINE_BYTES)) {
      if (!bytes) {
        problems.push({ line: number, message: `is longer than ${MAX_LINE_BYTES / 1024 / 1024} MB` })
        continue
      }
      if (bytes.length === 0) continue
      try {
        rows.push({ line: number, value: JSON.parse(decodeUtf8(bytes, `${file}:${number}`)) })
      } catch (error) {
        if (error instanceof LoopaiError) throw error
        problems.push({ line: number, message: `is not JSON: ${(error as Error).message}` })
      }
    }
  } catch (error) {
    throw explainReadError(error, file)
  }
  if (problems.length > 0) throw linesError(file, problems, ROW_HINT)
  return rows
}

async function readArray(file: string): Promise<Row[]> {
  const text = await readText(file, MAX_TABLE_BYTES)
  try {
    const value: Json = JSON.parse(text)
    if (Array.isArray(value)) return value.map((item, index) => ({ line: index + 1, value: item }))
  } catch (error) {
    throw new LoopaiError('INVALID_EXAMPLES', `${file} is not JSON: ${(error as Error).message}`, {
      hint: ROW_HINT,
    })
  }
  throw new LoopaiError('INVALID_EXAMPLES', `${file} is not a JSON array`, {
    hint: 'name it .jsonl if it has one object a line',
  })
}

async function readTable(file: string, kind: string): Promise<Row[]> {
  const text = await readText(file, MAX_TABLE_BYTES)
  const { parse } = await import('csv-parse/sync')
  try {
    const options = {
      bom: true,
      columns: true,
      skip_empty_lines: true,
      info: true,
      delimiter: kind === '.tsv' ? '\t' : ',',
    }
    const records = parse(text, options) as unknown as {
      record: Record<string, string>
      info: { lines: number }
    }[]
    const numeric = numericColumns(records.map(({ record }) => record))
    return records.map(({ record, info }) => ({ line: info.lines, value: typed(record, numeric) }))
  } catch (error) {
    throw new LoopaiError('INVALID_EXAMPLES', `${file}: ${(error as Error).message}`, {
      hint: 'the first line names the columns, and every line has as many of them',
      cause: error,
    })
  }
}

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/

/** Columns in which every filled cell is a number. */
function numericColumns(records: Record<string, string>[]): Set<string> {
  const names = Object.keys(records[0] ?? {})
  return new Set(
    names.filter(
      name =>
        records.every(record => !record[name] || NUMBER.test(record[name])) &&
        records.some(record => record[name]),
    ),
  )
}

/** Numbers as numbers; an empty cell of a numeric column is null. */
function typed(record: Record<string, string>, numeric: Set<string>): Json {
  const cell = (name: string, text: string): Json =>
    !numeric.has(name) ? text : text === '' ? null : Number(text)
  return Object.fromEntries(Object.entries(record).map(([name, text]) => [name, cell(name, text)]))
}

function idOf(value: Json): { id?: string } {
  const id = (value as { id?: unknown }).id
  return typeof id === 'string' ? { id } : {}
}
