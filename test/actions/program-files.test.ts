import { describe, expect, test } from 'vitest'
import { programOf } from '../../src/actions/program-files.ts'

const files = (...names: string[]) => names.map(path => ({ path, content: 'export const x: number = 1\n' }))

describe('the entry point', () => {
  test.each([
    [['program.py', 'program.js'], undefined, 'program.py', 'python'],
    [['helper.js', 'program.js'], undefined, 'program.js', 'node'],
    [['classifier.py', 'words.txt'], undefined, 'classifier.py', 'python'],
    [['a.py', 'b.mjs'], 'b.mjs', 'b.mjs', 'node'],
    [['program.ts'], undefined, 'program.js', 'node'],
  ])('of %j is found', async (names, wanted, entry, runtime) => {
    expect(await programOf(files(...names), wanted)).toMatchObject({ entry, runtime })
  })

  test.each([
    [['a.py', 'b.py'], undefined],
    [['program.py'], 'other.py'],
    [['words.txt'], 'words.txt'],
    [[], undefined],
  ])('of %j is not guessed', async (names, wanted) => {
    await expect(programOf(files(...names), wanted)).rejects.toMatchObject({ code: 'USAGE' })
  })
})

test('TypeScript is kept without its types, and declarations not at all', async () => {
  const program = await programOf(files('program.ts', 'types.d.ts', 'data.json'), undefined)
  expect(program.files.map(file => file.path)).toEqual(['program.js', 'data.json'])
  expect(String(program.files[0]!.content).trim()).toBe('export const x = 1')
})
