import type { CodeKeywordDefinition } from 'ajv'
import type * as Compiler from 'ajv/dist/2020.js'
import { isObject } from '../domain/json.ts'

/** The module that compiled code asks for. */
export const TWINS = 'loopai/twins'

/** `uniqueItems` in time that grows with the array; the compiler's own compares every item with every other one. */
export function uniqueItems({ _, str }: typeof Compiler.default): CodeKeywordDefinition {
  return {
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: {
      message: ({ params }) =>
        str`must NOT have duplicate items (items ## ${params.first!} and ${params.second!} are identical)`,
      params: ({ params }) => _`{i: ${params.second}, j: ${params.first}}`,
    },
    code(context) {
      const { gen, schema, data } = context
      if (!schema) return
      const find = gen.scopeValue('func', { ref: findTwins, code: _`require(${TWINS}).default` })
      const twins = gen.const('twins', _`${find}(${data})`)
      context.setParams({ first: _`${twins}[0]`, second: _`${twins}[1]` })
      context.fail(twins)
    },
  }
}

/** Where the first item stands that comes again, and where it does. */
export function findTwins(items: unknown[]): [number, number] | undefined {
  if (items.length < 2) return undefined
  const seen = new Map<string, number>()
  for (const [i, item] of items.entries()) {
    const text = textOf(item)
    const before = seen.get(text)
    if (before !== undefined) return [before, i]
    seen.set(text, i)
  }
  return undefined
}

/** The same text for equal values. What JSON reads as infinite has one as well. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  if (typeof value === 'number') return String(value)
  if (!isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map(name => `${JSON.stringify(name)}:${textOf(value[name])}`).join()}}`
}
