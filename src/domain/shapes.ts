import type { Example } from './example.ts'
import type { Json } from './json.ts'

/** A value in which every letter and digit is another one of its kind: what is left is its form. */
export function shapeOf(value: Json): Json {
  if (typeof value === 'string') return shapeOfText(value)
  if (typeof value === 'number') return shapeOfNumber(value)
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]))
}

/** Labels are in the schema, which is sent anyhow; an output that is free text is a shape as well. */
export function shapeOfExample({ input, output }: Example, isLabel: (output: Json) => boolean): Example {
  return { input: shapeOf(input), output: isLabel(output) ? output : shapeOf(output) }
}

function shapeOfText(text: string): string {
  return text
    .replace(/\p{Lu}/gu, 'X')
    .replace(/[\p{L}\p{M}]/gu, character => (character === 'X' ? 'X' : 'x'))
    .replace(/\p{N}/gu, '9')
}

/** Sign, and how many digits; a fraction is a fraction. */
function shapeOfNumber(value: number): number {
  const sign = value < 0 ? -1 : 1
  if (!Number.isSafeInteger(value)) return sign * 9.9
  return value === 0 ? 0 : sign * (10 ** Math.min(15, `${Math.abs(value)}`.length) - 1)
}
