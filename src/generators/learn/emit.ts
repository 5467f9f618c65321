import { readFileSync } from 'node:fs'
import type { Brief } from '../../domain/draft.ts'
import type { Json } from '../../domain/json.ts'
import { packageFile } from '../../package.ts'
import { CASED_RANGES, pythonPattern } from './characters.ts'
import type { LinearModel } from './model.ts'
import { type Head, isCode, type Program } from './program.ts'
import { comment } from './python.ts'
import { codeOfRules } from './rules/code.ts'
import { SHAPES } from './shapes.ts'
import { codeOfString } from './strings/code.ts'
import { strongest, strongestByLabel } from './strongest.ts'
import { codeOfTree } from './tables/code.ts'
import { nameOfPath } from './tables/columns.ts'
import { LONGEST_GRAM, LONGEST_TEXT, SHORTEST_GRAM, TOKEN } from './tokens.ts'

const IMPORTABLE = [
  'base64',
  'bisect',
  'collections',
  'datetime',
  'itertools',
  'json',
  'math',
  'operator',
  'os',
  're',
  'struct',
]

/** The code of the program. What comes from examples or the specification is only in comments, one line each, and in quotes. */
export function emitProgram(
  app: Pick<Brief['app'], 'name' | 'task'>,
  program: Program,
  targets: string[],
): string {
  const trees = program.heads.filter(head => head.by === 'trees')
  const code = program.heads.flatMap((head, at) => codeOf(head, `part_${at + 1}`) ?? [])
  const strings = program.heads.flatMap(head => (head.by === 'string' ? head.string.pieces : []))
  const makes = (make: string) => strings.some(piece => piece.make === make)
  const hasLinear = program.linear !== undefined || trees.some(({ texts }) => texts.length > 0)
  const needsColumns = trees.length > 0 || code.length > 0
  const sections = [
    (hasLinear || needsColumns) && section('text.py'),
    hasLinear && section('linear.py'),
    needsColumns && section('columns.py'),
    trees.length > 0 && section('trees.py'),
    program.heads.some(({ by }) => by === 'rules') && section('phrases.py'),
    makes('amount') && section('amounts.py'),
    makes('moment') && section('moments.py'),
    strings.length > 0 && section('strings.py'),
    code.length < program.heads.length && section('readings.py'),
    ...code,
    code.length > 0 &&
      `CODE = {${program.heads.flatMap((head, at) => (isCode(head) ? `${at}: part_${at + 1}` : [])).join(', ')}}`,
    isOneReading(program)
      ? section('execute-one.py')
      : fill(section('execute.py'), {
          LINEAR: program.linear ? 'LINEAR = linear(MODEL["linear"])\n' : '',
          SCORES: program.linear ? 'LINEAR(tokenize("\\n".join(pieces(input_data, ORDER, ""))))' : 'None',
        }),
  ]
  const body = sections
    .filter(part => part !== false)
    .map(part => part.trim())
    .join('\n\n\n')
  return fill(section('program.py'), {
    NAME: comment(app.name),
    TASK: comment(app.task),
    NOTES: describeHeads(program, targets)
      .map(line => `# ${comment(line)}`)
      .join('\n'),
    IMPORTS: IMPORTABLE.filter(name => new RegExp(`\\b${name}\\.`).test(`json. os. ${body}`))
      .map(name => `import ${name}`)
      .join('\n'),
    BODY: body,
  })
}

/** Text in, one answer out: most programs. */
function isOneReading({ heads, shape }: Program): boolean {
  return heads.length === 1 && heads[0]!.by === 'linear' && 'answer' in shape
}

function codeOf(head: Head, name: string): string | undefined {
  if (head.by === 'code') return codeOfTree(name, head.code)
  if (head.by === 'rules') return codeOfRules(name, head.rules)
  return head.by === 'string' ? codeOfString(name, head.string) : undefined
}

const PATTERNS = {
  TOKEN: pythonPattern(TOKEN),
  LINK: SHAPES.link,
  MAIL: SHAPES.mail,
  IBAN: SHAPES.iban,
  NUMBER: SHAPES.number,
  CASED: CASED_RANGES.map(([first, last]) => `range(${hex(first)}, ${hex(last + 1)})`).join(', '),
  LONGEST_TEXT: `${LONGEST_TEXT}`,
  SHORTEST_GRAM: `${SHORTEST_GRAM}`,
  LONGEST_GRAM: `${LONGEST_GRAM}`,
}

function section(name: string): string {
  return fill(readFileSync(packageFile('templates', 'programs', 'learned', name), 'utf8'), PATTERNS)
}

/** Values are put in once: what they contain is not looked at again. */
function fill(template: string, values: Record<string, string>): string {
  return template.replace(/@@([A-Z_]+)@@/g, (place, name: string) => values[name] ?? place)
}

function describeHeads({ heads, linear }: Program, targets: string[]): string[] {
  return heads.flatMap((head, at) => {
    const title = targets[at] ? `${targets[at]}: ` : ''
    if (head.by === 'linear') return describeLinear(head, linear!, title)
    if (head.by === 'trees')
      return [`${title}${head.model.trees.length} boosted trees, which look at ${columnsOf(head)}`]
    return [`${title}${describeCode(head)}, see part_${at + 1}`]
  })
}

function describeCode({ by }: Head): string {
  if (by === 'rules') return 'a list of phrases'
  return by === 'code' ? 'a few questions' : 'cut from the input'
}

function columnsOf({ model }: Extract<Head, { by: 'trees' }>): string {
  const columns = [...model.columns].sort((a, b) => b.share - a.share)
  return (
    columns.map(({ path, share }) => `${nameOfPath(path)} (${Math.round(100 * share)} %)`).join(', ') ||
    'nothing'
  )
}

/** `"spam": "free", "text to", …`: what speaks most for a label, in all the rows together. */
function describeLinear(head: Extract<Head, { by: 'linear' }>, model: LinearModel, title: string): string[] {
  const { span, reading } = head
  if (reading.kind === 'number') {
    return [
      `${title}raised by ${quoted(strongest(model, span.from, 1))}`,
      `${title}lowered by ${quoted(strongest(model, span.from, -1))}`,
    ]
  }
  return strongestByLabel(head, model).map(
    ({ label, features }) => `${title}${quote(label)}: ${quoted(features)}`,
  )
}

function quoted(names: string[]): string {
  return names.map(quote).join(', ') || '(nothing in particular)'
}

function quote(value: Json): string {
  return JSON.stringify(value)
}

function hex(code: number): string {
  return `0x${code.toString(16)}`
}
