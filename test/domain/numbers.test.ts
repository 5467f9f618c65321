import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findChangedNumbers } from '../../src/domain/numbers.ts'

test.each([
  ['[9007199254740993]', ['9007199254740993']],
  ['[9007199254740992, 1e22, 0.30000000000000001, 12345678901234567000]', []],
  ['{"a":-12345678901234567890,"b":[1e400,-1E+309]}', ['-12345678901234567890', '1e400', '-1E+309']],
  ['{"text":"12345678901234567890 and \\"1e400\\""}', []],
  ['["\\\\", 12345678901234567890]', ['12345678901234567890']],
  [' 12345678901234567891', ['12345678901234567891']],
])('%s holds the numbers %j that would become others', (text, numbers) => {
  expect(findChangedNumbers(text).map(found => found.text)).toEqual(numbers)
  for (const { index, text: number } of findChangedNumbers(text))
    expect(text.startsWith(number, index)).toBe(true)
})

test('whatever is written by JSON.stringify holds none', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), value => {
      expect(findChangedNumbers(JSON.stringify(value))).toEqual([])
    }),
  )
})

test('an integer is found exactly when it is printed as another one', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), integer => {
      const isFound = findChangedNumbers(`{"a":[${integer}]}`).length > 0
      expect(isFound).toBe(String(Number(integer)) !== String(integer))
    }),
  )
})
