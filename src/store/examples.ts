import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { isObject, type Json, type JsonObject } from '../domain/json.ts'
import { closest } from '../domain/problems.ts'
import { type Columns, exampleOfRow, findLabelColumn, textColumns } from '../domain/rows.ts'
import { sha256 } from '../domain/sha256.ts'
import type { LoopApp } from './apps.ts'
import { linesError, ROW_HINT, type Row, readOwn, readRows } from './rows.ts'
import type { Validator } from './schemas.ts'

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

/** The app's labelled rows, file by file in the order of their names. */
export async function readExamples(app: LoopApp): Promise<ExampleFile[]> {
  const names = await readdir(app.paths.examples).catch(() => [] as string[])
  const files = names.filter(name => name.endsWith('.jsonl')).sort()
  return Promise.all(
    files.map(async name => ({
      ...(await readPlaced(path.join(app.paths.examples, name), {}, readOwn)),
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
  const hash = sha256(content)
  const base = path.basename(source, path.extname(source)).replace(/[^A-Za-z0-9_-]+/g, '-') || 'rows'
  const placed = rows.map((row, index) => ({ ...row, line: index + 1 }))
  return { path: `datasets/examples/${base}-${hash.slice(0, 8)}.jsonl`, sha256: hash, rows: placed, content }
}

/** Golden cases of an app; none when it has no such file. */
export async function readCases(app: LoopApp): Promise<PlacedExample[]> {
  return existsSync(app.paths.cases) ? (await readPlaced(app.paths.cases, {}, readOwn)).rows : []
}

/** Golden cases of a file, which may be empty. */
export async function readCaseFile(file: string): Promise<PlacedExample[]> {
  return (await readPlaced(file)).rows
}

export interface ReadOptions extends Columns {
  /** Schemas of the app: a cell is taken as text where they want text, e.g. a postcode. */
  schemas?: { input: JsonObject; output: JsonObject } | undefined
}

/**
 * Reads JSONL, a JSON array, CSV or TSV, from a file or, as `-`, from standard input. Every row must have an answer, and there must be rows; the
 * error names the lines.
 */
export async function readExampleFile(file: string, options: ReadOptions = {}): Promise<ExampleFile> {
  const found = await readPlaced(file, options)
  if (found.rows.length > 0) return found
  throw new LoopaiError('NO_EXAMPLES', `${found.path} has no rows`, { hint: ROW_HINT })
}

async function readPlaced(
  file: string,
  options: ReadOptions = {},
  read?: (file: string) => Promise<Buffer>,
): Promise<ExampleFile> {
  const { name, bytes, rows } = await readRows(file, names => textColumns(names, options), read)
  refuseUnknownColumns(name, rows, options)
  const placed = rows.map(({ line, value }) => ({ line, value, example: exampleOfRow(value, options) }))
  const unanswered = placed.filter(row => !row.example)
  if (unanswered.length > 0) {
    const problems = unanswered.map(row => ({ line: row.line, message: 'has no answer' }))
    throw linesError(name, problems, ROW_HINT)
  }
  return {
    path: name,
    sha256: sha256(bytes),
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
  if (names.includes('') && Object.keys(map).length === 0) {
    throw new LoopaiError('INVALID_EXAMPLES', `${file} has a column without a name`, {
      hint: `name it in the first line, or choose columns with --map property=column; ${columns}`,
    })
  }
  const answers = findLabelColumn(names, label)
  if (answers !== undefined && Object.hasOwn(map, answers)) {
    throw new LoopaiError('USAGE', `the column ${answers} is the answer, and --map makes it an input too`, {
      hint:
        label === undefined
          ? `name the answers with --label; ${columns}`
          : `leave it out of --map; ${columns}`,
    })
  }
  if (answers !== undefined) return
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

function idOf(value: Json): { id?: string } {
  const id = (value as { id?: unknown }).id
  return typeof id === 'string' ? { id } : {}
}
