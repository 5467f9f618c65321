import { expect, test } from 'vitest'
import { calibrationError, macroF1, precision, qualityOf, recall } from '../../src/domain/quality.ts'

const LABELLED = [
  { expected: 'a', got: 'a', confidence: 0.95 },
  { expected: 'a', got: 'a', confidence: 0.91 },
  { expected: 'a', got: 'b', confidence: 0.55 },
  { expected: 'b', got: 'b', confidence: 1 },
  { expected: 'b', got: 'a', confidence: 0.51 },
  { expected: 'c', confidence: 0.9 },
  { expected: 'a', got: 'a', confidence: 0 },
]

test('labels are counted, and precision, recall and macro-F1 follow', () => {
  const { labels, rows, majority, numbers } = qualityOf(LABELLED)
  expect(rows).toBe(7)
  expect(majority).toEqual({ output: 'a', accuracy: 4 / 7 })
  expect(numbers).toBeNull()
  expect(labels).toEqual([
    { label: 'a', rows: 4, answered: 4, right: 3 },
    { label: 'b', rows: 2, answered: 2, right: 1 },
    { label: 'c', rows: 1, answered: 0, right: 0 },
  ])
  expect(labels.map(precision)).toEqual([0.75, 0.5, null])
  expect(labels.map(recall)).toEqual([0.75, 0.5, 0])
  expect(macroF1(labels)).toBeCloseTo((0.75 + 0.5 + 0) / 3)
})

test('confusions are wrong answers, most frequent first', () => {
  const more = [...LABELLED, { expected: 'b', got: 'a' }]
  expect(qualityOf(more).confusion).toEqual([
    { expected: 'b', got: 'a', rows: 2 },
    { expected: 'a', got: 'b', rows: 1 },
  ])
})

test('confidence is compared with accuracy in bins, the last of which includes 1', () => {
  const { calibration } = qualityOf(LABELLED)
  expect(calibration).toEqual([
    { confidence: 0, accuracy: 1, rows: 1 },
    { confidence: 0.53, accuracy: 0, rows: 2 },
    { confidence: 0.9533, accuracy: 1, rows: 3 },
  ])
  expect(calibrationError(calibration)).toBeCloseTo((1 + 2 * 0.53 + 3 * 0.0467) / 6)
  expect(calibrationError([])).toBeNull()
})

test('numbers have errors instead, against always answering the mean', () => {
  const answers = Array.from({ length: 30 }, (_, i) => ({ expected: i, got: i + 1 }))
  const { labels, numbers } = qualityOf(answers)
  expect(labels).toEqual([])
  expect(numbers).toEqual({ mae: 1, baseline_mae: 7.5, r2: 1 - 30 / 2247.5 })
})

test('a few integers are labels, and booleans and objects too', () => {
  expect(
    qualityOf([
      { expected: 1, got: 2 },
      { expected: 2, got: 2 },
    ]).labels.map(({ label }) => label),
  ).toEqual([1, 2])
  expect(qualityOf([{ expected: { b: 1, a: 2 }, got: { a: 2, b: 1 } }]).labels[0]!.right).toBe(1)
})

test('of no rows there is nothing to say', () => {
  expect(qualityOf([])).toEqual({
    rows: 0,
    majority: null,
    labels: [],
    confusion: [],
    calibration: [],
    numbers: null,
  })
  expect(macroF1([])).toBeNull()
})
