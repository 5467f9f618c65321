import { expect, test } from 'vitest'
import { stripTypes } from '../../src/runtimes/strip-types.ts'

test('types go, and what runs stays', async () => {
  const source = `
import type { Input } from './input.ts'
import { size } from './size.ts'
import("./late.ts")
enum Kind { Short = 'short', Long = 'long' }
class Word { constructor(readonly text: string) {} }
export function execute(input: Input): { result: Kind } {
  const word = new Word(input.text!) satisfies Word
  return { result: size<string>(word.text) > 3 ? Kind.Long : Kind.Short } as const
}
const note = "from './kept.tsx'"
`
  const code = await stripTypes(source, 'program.ts')
  expect(code).not.toMatch(/type |satisfies|readonly|\): /)
  expect(code).toContain("from './size.js'")
  expect(code).toContain('import("./late.js")')
  expect(code).toContain("from './kept.tsx'")
  const module = code.replace(/^import.*$/gm, '').replace('size(', '(text => text.length)(')
  const { execute } = await import(`data:text/javascript,${encodeURIComponent(module)}`)
  expect(execute({ text: 'long enough' })).toEqual({ result: 'long' })
})

test('what is no TypeScript is refused', async () => {
  await expect(stripTypes('export function execute(: string', 'program.ts')).rejects.toThrow(/program\.ts/)
})
