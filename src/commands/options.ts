import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { Columns } from '../domain/rows.ts'

/** How columns of labelled rows are named. */
export interface ColumnOptions {
  label?: string
  map?: Record<string, string>
}

export function defineColumns(command: Command): void {
  command
    .option('--label <column>', 'column with the answers')
    .option('--map <property=column>', 'which column is which input property (repeatable)', collectMap)
}

export function columnsOf({ label, map }: ColumnOptions): Columns {
  return { label, map }
}

/** A whole number from `least` on, and up to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`It has to be a whole number ${range}.`)
  }
}

/** A number from 0 to 1, or a percentage. */
export function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It has to be a number from 0 to 1, or a percentage.')
}

export function moment(text: string): Date {
  const value = new Date(text)
  if (!Number.isNaN(value.getTime())) return value
  throw new InvalidArgumentError('It has to be a date, e.g. 2026-01-31 or 2026-01-31T12:00Z.')
}

/** `text=message` makes the column `message` the property `text`. */
function collectMap(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, property, column] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (!property || !column) throw new InvalidArgumentError('It has to be property=column, e.g. text=message.')
  if (property === '__proto__') throw new InvalidArgumentError('No property can be called __proto__.')
  if (Object.values(before).includes(property))
    throw new InvalidArgumentError(`The property ${property} is named twice; each has one column.`)
  if (Object.hasOwn(before, column))
    throw new InvalidArgumentError(`The column ${column} is named twice; each is one property.`)
  return { ...before, [column]: property }
}
