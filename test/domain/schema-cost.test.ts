import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/domain/json.ts'
import { costOf, isSmall } from '../../src/domain/schema-cost.ts'

test.each<[JsonObject, string]>([
  [{ type: 'object', properties: { text: { type: 'string', maxLength: 9 } }, required: ['text'] }, 'linear'],
  [{ type: 'array', items: { enum: ['a', 'b', null, 3] }, additionalProperties: false }, 'linear'],
  [{ properties: { pattern: { type: 'string' }, $defs: { const: 1 } } }, 'linear'],
  [{ properties: { text: { pattern: 'a' } } }, 'product'],
  [{ items: { items: { format: 'email' } } }, 'product'],
  [{ additionalProperties: { uniqueItems: true } }, 'product'],
  [{ enum: Array.from({ length: 101 }, (_, i) => i) }, 'product'],
  [{ const: [1, 2] }, 'product'],
  [{ items: { $ref: '#/$defs/a' }, $defs: { a: {} } }, 'unbounded'],
  [{ $dynamicRef: '#a' }, 'unbounded'],
])('%j costs %s', (schema, cost) => {
  expect(costOf(schema)).toBe(cost)
})

test.each<[unknown, boolean]>([
  [{ text: 'a'.repeat(4000), list: [1, null, true] }, true],
  ['a'.repeat(5000), false],
  [Array(5000).fill(0), false],
  [{ ['a'.repeat(5000)]: 1 }, false],
  [Array(100).fill(Array(100).fill(1)), false],
])('what is small: %#', (value, small) => {
  expect(isSmall(value)).toBe(small)
})
