import { expect, test } from 'vitest'
import type { Draft } from '../../src/domain/draft.ts'
import { joinPart } from '../../src/domain/learned-part.ts'

const PART = {
  files: [
    { path: 'learned.py', content: 'def execute(value): return 1\n' },
    { path: 'model.json', content: '{}' },
  ],
  entry: 'learned.py',
  parity: [],
  accuracy: 1,
  mistakes: [],
}

function draftOf(names: string[]): Draft {
  const files = names.map(path => ({ path, content: 'import learned\n' }))
  return { files, runtime: 'python', entry: 'program.py', notes: [], parity: [] }
}

test.each([
  'learned.py',
  'model.json',
  'learned/__init__.py',
  'learned.so',
  'learned.cpython-311-x86_64-linux-gnu.so',
])('a writer cannot put %s in the place of the learned part', name => {
  const { files } = joinPart(draftOf(['program.py', name]), PART)
  expect(files.map(({ path }) => path)).toEqual(['program.py', 'learned.py', 'model.json'])
  expect(files.slice(1)).toEqual(PART.files)
})

test('files of other names stay', () => {
  const { files } = joinPart(draftOf(['program.py', 'learned_more.py', 'model.json.py']), PART)
  expect(files.map(({ path }) => path)).toContain('learned_more.py')
  expect(files.map(({ path }) => path)).toContain('model.json.py')
})
