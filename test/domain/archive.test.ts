import { describe, expect, test } from 'vitest'
import { entryProblem, isArchiveTable, strangeFiles } from '../../src/domain/archive.ts'

describe('an entry of an archive', () => {
  test.each([
    'loopai-archive.json',
    'config.yaml',
    'history.jsonl',
    'tests/cases.jsonl',
    'datasets/examples/a-1.jsonl',
    'datasets/executions/2026-01-01.jsonl',
    'artifacts/v1/program.py',
    'artifacts/v12/data/wörter.txt',
  ])('%s is accepted', path => {
    expect(entryProblem({ path, type: 'File' })).toBeUndefined()
  })

  test.each([
    '/etc/passwd',
    '../config.yaml',
    'artifacts/v1/../../../x',
    'artifacts/v1/./x',
    'artifacts/v1//x',
    'artifacts/v1/a\\b',
    'artifacts/v1/C:x',
    'artifacts/v1/.git/hooks/pre-commit',
    'artifacts/v1/.GIT/config',
    'artifacts/v1/a\nb',
    'artifacts/v0/x',
    'artifacts/active',
    'artifacts/active/program.py',
    'artifacts/.tmp-1-00000000/x',
    'datasets/examples/deep/x.jsonl',
    'tests/cases.py',
    'draft/program.py',
    '.gitattributes',
    `artifacts/v1/${'x'.repeat(300)}`,
    '',
  ])('%j is refused', path => {
    expect(entryProblem({ path, type: 'File' })).toBeTypeOf('string')
  })

  test.each(['SymbolicLink', 'Link', 'CharacterDevice', 'FIFO', 'Directory'])('a %s is refused', type => {
    expect(entryProblem({ path: 'artifacts/v1/program.py', type })).toMatch(/not a plain file/)
  })
})

test.each([
  [{}, false],
  [{ format: 2, loop_app_id: 'a', version: null, active: null, files: [] }, false],
  [{ format: 1, loop_app_id: 'a', version: -1, active: null, files: [] }, false],
  [{ format: 1, loop_app_id: 'a', version: null, active: '../x', files: [] }, false],
  [{ format: 1, loop_app_id: 'a', version: null, active: 2, files: [] }, true],
])('%j is a table: %s', (value, expected) => {
  expect(isArchiveTable(value)).toBe(expected)
})

test('a file that is missing, different or not named is strange', () => {
  const file = (path: string, sha256: string) => ({ path, sha256, size: 1, executable: false })
  const files = [file('same', 'a'), file('other', 'b'), file('gone', 'c')]
  const table = { format: 1 as const, loop_app_id: 'a', version: null, active: null, loopai: '1', files }
  const hashes = new Map([
    ['same', 'a'],
    ['other', 'x'],
    ['extra', 'd'],
  ])
  expect(strangeFiles(table, hashes)).toEqual(['other', 'gone', 'extra'])
})
