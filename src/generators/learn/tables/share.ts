import type { Json } from '../../../domain/json.ts'
import { scaleOf } from '../lanes.ts'
import type { Metric } from '../problem.ts'
import type { Rows } from '../rows.ts'
import type { ChoiceTarget, NumberTarget } from '../targets.ts'
import type { Values } from './bins.ts'
import type { Goal, TableShared } from './boost.ts'
import { type Column, categoryOf, cellOf, numberOf } from './columns.ts'
import type { TextScores } from './texts.ts'

/** What trees are to learn: one target from columns. */
export interface TableLesson {
  rows: Rows
  inputs: Json[]
  columns: Column[]
  target: ChoiceTarget | NumberTarget
  metric: Metric
}

const FEWEST_OF_CATEGORY = 3

/** The table as all threads see it. */
export function shareTable({ rows, inputs, columns, target }: TableLesson, texts: TextScores): TableShared {
  const plain = columns.filter(({ kind }) => kind !== 'text')
  return {
    columns: plain.map(({ path, kind }) => {
      const cells = inputs.map(input => cellOf(input, path))
      return kind === 'number' ? shareNumbers(cells) : shareCategories(cells)
    }),
    sources: plain.map(({ path }) => ({ path })),
    texts: texts.scores,
    textSources: texts.sources,
    goal: goalOf(target),
    fewest: Math.max(FEWEST_OF_CATEGORY, rows.minInputs),
  }
}

function shareNumbers(cells: (Json | undefined)[]): Values {
  const numbers = new Float64Array(new SharedArrayBuffer(8 * cells.length))
  cells.forEach((cell, row) => {
    numbers[row] = numberOf(cell)
  })
  return { kind: 'number', numbers }
}

function shareCategories(cells: (Json | undefined)[]): Values {
  const named = cells.map(categoryOf)
  const names = [...new Set(named)].filter(name => name !== undefined).sort()
  const at = new Map(names.map((name, code) => [name, code]))
  const codes = new Int32Array(new SharedArrayBuffer(4 * cells.length))
  named.forEach((name, row) => {
    codes[row] = name === undefined ? -1 : at.get(name)!
  })
  return { kind: 'category', codes, names }
}

function goalOf(target: ChoiceTarget | NumberTarget): Goal {
  if (target.kind === 'choice') return { kind: 'choice', label: target.label, labels: target.labels.length }
  const { center, spread } = scaleOf(target.value)
  return { kind: 'number', value: target.value.map(value => (value - center) / spread) }
}

/** Fewest rows of a leaf. */
export function fewestOfLeaf(rows: number): number {
  if (rows < 300) return 3
  return rows < 2000 ? 8 : 20
}
