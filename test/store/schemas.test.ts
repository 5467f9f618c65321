import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/domain/json.ts'
import { compileSchema } from '../../src/store/schemas.ts'
import { temporaryFolder } from '../helpers/repository.ts'

let cache: string
beforeEach(() => {
  cache = temporaryFolder()
  process.env.LOOPAI_CACHE_DIR = cache
})

describe('a schema says the same when it is compiled and when its code comes out of the cache:', () => {
  test.each<[string, JsonObject, Json[]]>([
    [
      'types',
      { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } },
      [{ a: 1 }, { a: 1.5 }, {}, 3],
    ],
    ['lengths', { type: 'string', minLength: 2, maxLength: 3 }, ['a', '\u{1f600}\u{1f600}', 'four']],
    [
      'equality',
      { uniqueItems: true, const: [{ a: 1 }, { a: 2 }] },
      [
        [{ a: 1 }, { a: 2 }],
        [{ a: 1 }, { a: 1 }],
      ],
    ],
    ['formats', { type: 'string', format: 'date' }, ['2026-01-31', '2026-02-31']],
    [
      'format limits',
      { type: 'string', format: 'date', formatMinimum: '2026-01-01' },
      ['2026-01-31', '2025-01-31'],
    ],
    ['patterns', { type: 'string', pattern: '^(a+)+$' }, ['aaa', `${'a'.repeat(50)}b`]],
    [
      'pattern properties',
      { patternProperties: { '^x': { type: 'number' } } },
      [{ xa: 1 }, { xa: 'a' }, { b: 'a' }],
    ],
    [
      'references',
      { $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } }, $ref: '#/$defs/tree' },
      [[[], [[]]], [[1]]],
    ],
    ['draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', enum: ['a', null] }, ['a', null, 'b']],
  ])('%s', async (_, schema, values) => {
    const fresh = await compileSchema(schema, 'schema')
    expect(readdirSync(path.join(cache, 'schemas'))).toHaveLength(1)
    const cached = await compileSchema(schema, 'schema')
    const problems = values.map(fresh)
    expect(problems.filter(found => found.length > 0)).not.toHaveLength(0)
    expect(values.map(cached)).toEqual(problems)
  })
})

test.each<[string, Json, boolean]>([
  ['a number and the same number', [1, 2, JSON.parse('1.0')], false],
  [
    'objects whose properties are in another order',
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    false,
  ],
  ['zero and its negative', [0, -0], false],
  ['a number, its text, and true', [1, '1', true, [1], { a: 1 }], true],
  ['null and the text of it', [null, 'null', 'a', '"a"'], true],
  ['lists that are joined in another way', [['a', 'b'], ['a,b'], [['a'], 'b']], true],
  ['numbers beyond what can be told from each other', JSON.parse('[1e999, null, "Infinity"]'), true],
])('items are unique as JSON Schema has it: %s', async (_, items, isUnique) => {
  const validate = await compileSchema({ uniqueItems: true }, 'schema')
  expect(validate(items).length === 0).toBe(isUnique)
})

test('tens of thousands of unique objects are validated at once, and twins are named', async () => {
  const validate = await compileSchema(
    { type: 'array', items: { type: 'object' }, uniqueItems: true },
    'schema',
  )
  const items = Array.from({ length: 30_000 }, (_, id) => ({ name: 'a name', id }))
  const since = performance.now()
  expect(validate(items)).toEqual([])
  expect(performance.now() - since).toBeLessThan(2000)
  expect(validate([...items, { id: 7, name: 'a name' }])).toEqual([
    { pointer: '', message: 'must NOT have duplicate items (items ## 7 and 30000 are identical)' },
  ])
})

/** Two references to the next one, so that the last one is reached 2^levels times. */
function doubling(levels: number, last: JsonObject): JsonObject {
  const $defs: JsonObject = { [`d${levels}`]: last }
  for (let level = 0; level < levels; level++) {
    $defs[`d${level}`] = { allOf: Array<Json>(2).fill({ $ref: `#/$defs/d${level + 1}` }) }
  }
  return { $ref: '#/$defs/d0', $defs }
}

const KINDS: JsonObject[] = ['a', 'b', 'c'].map(kind => ({
  properties: { next: { $ref: '#/$defs/node' }, kind: { const: kind } },
}))
const NAMES = Array.from({ length: 10_000 }, (_, i) => `name ${i}`)

test.each<[string, JsonObject, Json]>([
  [
    'branches at every level',
    { $ref: '#/$defs/node', $defs: { node: { anyOf: KINDS } } },
    JSON.parse(`${'{"next":'.repeat(50)}{"kind":"d"}${'}'.repeat(50)}`),
  ],
  ['references that double', doubling(60, { type: 'null' }), null],
  ['a long text that is measured again and again', doubling(14, { minLength: 5 }), 'x'.repeat(900_000)],
  ['many choices for many items', { items: { enum: NAMES } }, Array(90_000).fill(NAMES.at(-1)!)],
  ['as many branches', { items: { anyOf: NAMES.map(name => ({ const: name })) } }, Array(90_000).fill('')],
  ['a pattern with counts', { pattern: '(?:a|b).{200}c.{200}b$' }, 'abcba'.repeat(180_000)],
  ['addresses', { format: 'url' }, `http://${'::'.repeat(400_000)}`],
])('what would take for ever is given up: %s', async (_, schema, value) => {
  for (const _ of ['fresh', 'cached']) {
    const validate = await compileSchema(schema, 'schema')
    const since = performance.now()
    expect(validate(value)).toEqual([
      { pointer: '', message: 'takes longer than 500 ms to compare with its schema' },
    ])
    expect(performance.now() - since).toBeLessThan(5000)
  }
})

test('large values of ordinary schemas are compared to their end', async () => {
  const point = {
    type: 'object',
    properties: { x: { $ref: '#/$defs/number' }, y: { $ref: '#/$defs/number' } },
  }
  const number = { allOf: Array<Json>(5).fill({ $ref: '#/$defs/any' }), type: 'number' }
  const schema = { items: { $ref: '#/$defs/point' }, $defs: { point, number, any: {} } }
  const validate = await compileSchema(schema, 'schema')
  expect(validate(Array(9000).fill({ x: 1, y: 2 }))).toEqual([])
  expect(validate([...Array(9000).fill({ x: 1 }), { x: '' }])).toEqual([
    { pointer: '/9000/x', message: 'must be number' },
  ])
})

test('a cache that was damaged is written anew', async () => {
  const schema = { type: 'string' }
  await compileSchema(schema, 'schema')
  const [name] = readdirSync(path.join(cache, 'schemas'))
  const file = path.join(cache, 'schemas', name!)
  const fact = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...fact, value: 'return (' }))
  const validate = await compileSchema(schema, 'schema')
  expect([validate('a'), validate(1).length]).toEqual([[], 1])
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(fact)
})

test('a schema that names itself for what is in the value goes on working, however deep that is', async () => {
  const schema: JsonObject = {
    anyOf: [{ type: 'string' }, { $ref: '#/$defs/node' }],
    $defs: { node: { type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#/$defs/node' } } } },
    examples: [{ $ref: '#/examples/0' }],
  }
  const validate = await compileSchema(schema, 'schema')
  expect(validate({ left: { left: 'a' }, right: { left: { right: {} } } })).toEqual([])
  expect(validate({ right: { left: { right: 1 } } })).not.toEqual([])
  const list = await compileSchema({ items: { $ref: '#' } }, 'schema')
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  expect(list(deep)).toEqual([{ pointer: '', message: 'is nested too deep for its schema' }])
})

test('a schema is nested as deep as a config.yaml can be, and no deeper', async () => {
  const nested = (levels: number): JsonObject =>
    JSON.parse(`${'{"items":'.repeat(levels)}{}${'}'.repeat(levels)}`)
  expect((await compileSchema(nested(89), 'schema'))([[1]])).toEqual([])
  await expect(compileSchema(nested(3000), 'schema')).rejects.toMatchObject({
    code: 'INVALID_SCHEMA',
    message: 'schema is not a valid JSON Schema: is nested more than 90 levels deep',
  })
})

test.each<[JsonObject, string, string]>([
  [{ properties: { a: { type: 'sting' } } }, '/properties/a/type', 'must be one of "array"'],
  [{ required: 'a' }, '/required', 'must be array'],
  [{ anyOf: [{ pattern: '(a' }] }, '/anyOf/0/pattern', 'missing closing )'],
  [{ patternProperties: { 'a(?=b)': {} } }, '/patternProperties/a(?=b)', 'linear time'],
  [{ $ref: '#/$defs/none' }, '', "can't resolve reference"],
  [{ $ref: '#' }, '', 'leads back to itself'],
  [{ type: 'object', properties: { a: { $ref: '#' } }, $ref: '#' }, '', 'leads back to itself'],
  [{ $id: 'urn:a:b', anyOf: [{ type: 'null' }, { $ref: 'urn:a:b' }] }, '', 'leads back to itself'],
  [
    {
      $defs: { 'a/b': { not: { $ref: '#c' } }, c: { $anchor: 'c', $ref: '#/$defs/a~1b' } },
      items: { $ref: '#/$defs/a~1b' },
    },
    '/$defs/a~1b',
    'leads back to itself',
  ],
])('what is wrong with a schema is told with its place: %j', async (schema, pointer, message) => {
  const failure = await compileSchema(schema, 'input_schema').catch(error => error)
  expect(failure).toMatchObject({ code: 'INVALID_SCHEMA', exit: 2, details: { pointer } })
  expect(failure.message).toContain(`input_schema is not a valid JSON Schema: ${pointer}`)
  expect(failure.message).toContain(message)
})
