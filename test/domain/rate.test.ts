import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRate } from '../../src/domain/rate.ts'

test('as many as a second allows come at once, then one whenever its time has come', () => {
  const rate = createRate(4)
  expect([0, 0, 0, 0, 0].map(now => rate.take(now))).toEqual([0, 0, 0, 0, 250])
  expect(rate.take(249)).toBeCloseTo(1)
  expect(rate.take(250)).toBe(0)
  expect(rate.take(250)).toBe(250)
  expect([9000, 9000, 9000, 9000, 9000].map(now => rate.take(now) > 0)).toEqual([
    false,
    false,
    false,
    false,
    true,
  ])
})

test('whoever waits as long as is said gets one, and nobody gets more than the rate', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), gaps, (perSecond, waits) => {
      const rate = createRate(perSecond)
      let now = 0
      let taken = 0
      for (const wait of waits) {
        now += wait
        const untilNext = rate.take(now)
        if (untilNext === 0) taken++
        else expect(untilNext).toBeLessThanOrEqual(1000 / perSecond)
      }
      expect(taken).toBeLessThanOrEqual(perSecond + (now / 1000) * perSecond + 1e-6)
    }),
  )
})
