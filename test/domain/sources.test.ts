import { expect, test } from 'vitest'
import { forbiddenImports } from '../../src/domain/sources.ts'

const forbidden = (modules: string[], files = ['program.py']) =>
  forbiddenImports(
    { problems: [], imports: modules.map(module => ({ file: 'program.py', line: 1, module })) },
    files,
  ).map(({ module }) => module)

test.each([
  [['json', 're', 'collections.abc', 'urllib.parse', 'os.path'], []],
  [
    ['numpy', 'sklearn.svm', 'requests'],
    ['numpy', 'sklearn.svm', 'requests'],
  ],
  [
    ['socket', 'subprocess', 'urllib.request', 'urllib', 'time'],
    ['socket', 'subprocess', 'urllib.request', 'urllib', 'time'],
  ],
  [
    ['eval()', '__import__()'],
    ['eval()', '__import__()'],
  ],
  [['.rules', '.'], []],
])('of %j, %j are forbidden', (modules, expected) => {
  expect(forbidden(modules)).toEqual(expected)
})

test('its own files are allowed', () => {
  const files = ['program.py', 'rules.py', 'words/__init__.py', 'words/german.py']
  expect(forbidden(['rules', 'words', 'words.german', 'other'], files)).toEqual(['other'])
})
