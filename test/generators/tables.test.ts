import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Draft } from '../../src/domain/draft.ts'
import type { Example } from '../../src/domain/example.ts'
import type { Json } from '../../src/domain/json.ts'
import { emitProgram } from '../../src/generators/learn/emit.ts'
import { learnTargets } from '../../src/generators/learn/heads.ts'
import learner from '../../src/generators/learn/index.ts'
import { planProblem } from '../../src/generators/learn/problem.ts'
import { createPredictor, encodeProgram } from '../../src/generators/learn/program.ts'
import { learnInThread } from '../../src/generators/learn/thread.ts'
import { packageFile } from '../../src/package.ts'
import {
  type Answer,
  briefOf,
  bundleThreads,
  contentOf,
  developmentSet,
  never,
  PYTHONS,
  resultOf,
  runProgram,
} from './briefs.ts'

beforeAll(bundleThreads)
/** Learning takes seconds, and the machine may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Rows whose label hangs on a number, a category and on whether a number is there. */
function parcelRows(count: number): Example[] {
  return Array.from({ length: count }, (_, i) => {
    const weight = (i * 37) % 100
    const country = ['DE', 'FR', 'US', 'JP'][(i * 7) % 4]!
    const value = i % 5 === 0 ? null : (i * 13) % 50
    const far = country === 'US' || country === 'JP'
    const output = value === null ? 'ask' : far && weight > 30 ? 'air' : weight > 70 ? 'freight' : 'post'
    return { input: { weight, country, value }, output }
  })
}

/** A wavy function of two numbers: no small tree comes near it. */
function waveRows(count: number): Example[] {
  return Array.from({ length: count }, (_, i) => {
    const x = ((i * 61) % 400) / 100
    const y = ((i * 37) % 300) / 100
    return {
      input: { x, y, noise: (i * 17) % 10 },
      output: Math.round(100 * (Math.sin(3 * x) + y * y)) / 100,
    }
  })
}

describe('a program learned from a table', () => {
  let draft: Draft
  beforeAll(async () => {
    draft = await learner.generate(briefOf(parcelRows(400)), never)
  })

  test('tells labels apart by numbers, categories and what is missing', () => {
    const answers = runProgram(draft, [
      { weight: 80, country: 'JP', value: 10 },
      { weight: 85, country: 'DE', value: 10 },
      { weight: 10, country: 'FR', value: 3 },
      { weight: 10, country: 'FR', value: null },
      { weight: 10, country: 'FR' },
    ])
    expect(answers.map(resultOf)).toEqual(['air', 'freight', 'post', 'ask', 'ask'])
    for (const { confidence } of answers) expect(confidence).toBeGreaterThan(0.5)
  })

  test('answers whatever it is given', () => {
    const strange: Json[] = [
      {},
      [],
      null,
      7,
      { weight: 'heavy', country: 3, value: [1] },
      { weight: '81', country: 'Atlantis', value: 1e300 },
      { weight: -1e308, country: null, value: true },
    ]
    for (const answer of runProgram(draft, strange)) {
      expect(['ask', 'air', 'freight', 'post']).toContain(answer.result)
    }
  })

  test('has an answer for every example by trees that had not seen it', () => {
    const rows = parcelRows(400)
    const right = draft.outOfFold!.filter(({ output }, row) => output === rows[row]!.output).length
    expect(right).toBeGreaterThan(380)
  })

  test('has the same bytes with another number of threads and from rows in another order', async () => {
    const brief = briefOf([...parcelRows(400)].reverse(), {
      output: { enum: ['ask', 'air', 'post', 'freight'] },
    })
    const straight = { ...brief, examples: parcelRows(400) }
    const [one, three] = await Promise.all([
      learnInThread(brief, planProblem(brief), { threads: 1, signal: never }),
      learnInThread(straight, planProblem(straight), { threads: 3, signal: never }),
    ])
    expect(one.files).toEqual(three.files)
  })
})

test('a small tree is written as code when it does as well as many', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const age = [2, 9, 30, 61][i % 4]! + (i % 7)
    const kind = ['a', 'b"""', '\u202e'][(i >> 2) % 3]!
    return {
      input: { age, 'it\'s "odd"\n': kind },
      output: age < 18 ? 'child' : kind.startsWith('b') ? 'b' : 'other',
    }
  })
  const draft = await learner.generate(briefOf(rows), never)
  const code = contentOf(draft, 'program.py')
  expect(code).toMatch(/if not age > 20:/)
  expect(code).not.toMatch(/\u202e/)
  const answers = runProgram(
    draft,
    rows.map(row => row.input),
  )
  expect(answers.map(resultOf)).toEqual(rows.map(row => row.output))
})

test('numbers are learned as numbers, with the digits that the examples have', async () => {
  const rows = waveRows(600)
  const draft = await learner.generate(briefOf(rows, { output: { type: 'number' } }), never)
  const answers: Answer[] = runProgram(
    draft,
    rows.map(row => row.input),
  )
  const errors = answers.map(({ result }, i) => Math.abs((result as number) - (rows[i]!.output as number)))
  expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(0.3)
  for (const { result } of answers) expect(Math.round((result as number) * 100) / 100).toBe(result)
  expect(draft.notes.join('\n')).toMatch(/explains 9\d\.\d %/)
})

test('numbers are learned from text, and whole numbers stay whole', async () => {
  const words = ['terrible', 'poor', 'fair', 'good', 'great']
  const rows = Array.from({ length: 150 }, (_, i) => ({
    input: { text: `the ${['food', 'room', 'view'][i % 3]} was ${words[i % 5]} on day ${i % 11}` },
    output: 10 * (i % 5),
  }))
  const draft = await learner.generate(briefOf(rows, { output: { type: 'integer' } }), never)
  const [low, high] = runProgram(draft, [{ text: 'terrible room' }, { text: 'great food' }])
  expect(low.result).toBeLessThan(12)
  expect(high.result).toBeGreaterThan(28)
  expect(Number.isInteger(low.result)).toBe(true)
})

test('a text column enters a table as a score', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const tone = ['happy about', 'angry about', 'glad for', 'furious over'][i % 4]
    const amount = (i * 37) % 100
    const note = `customer ${i} ${tone} order ${(i * 7) % 97}`
    return {
      input: { amount, country: ['DE', 'FR'][i % 2]!, days: i % 9, note },
      output: i % 2 === 1 && amount > 40,
    }
  })
  for (const row of rows) row.input.country = 'DE'
  const draft = await learner.generate(
    briefOf(rows, { output: { type: 'boolean' }, strategy: 'trees' }),
    never,
  )
  const answers = runProgram(draft, [
    { amount: 90, days: 3, note: 'customer 5 angry about order 1' },
    { amount: 10, days: 3, note: 'customer 5 angry about order 1' },
    { amount: 90, days: 3, note: 'customer 5 glad for order 1' },
  ])
  expect(answers.map(resultOf)).toEqual([true, false, false])
})

describe('outputs of several parts', () => {
  const rows = parcelRows(160).map(({ input, output }, i) => ({
    input: {
      ...(input as object),
      text: ['late again', 'thank you', 'where is it', 'broken box'][(i >> 2) % 4]!,
    } as Json,
    output: {
      way: output,
      cost: { net: (i * 37) % 100, currency: 'EUR' },
      tags: [['late', 'angry'], [], [], ['broken']][(i >> 2) % 4]!,
    },
  }))
  const output = {
    type: 'object',
    properties: {
      way: { enum: ['ask', 'air', 'freight', 'post'] },
      cost: {
        type: 'object',
        properties: { net: { type: 'number' }, currency: { type: 'string', enum: ['EUR', 'USD'] } },
      },
      tags: { type: 'array', items: { enum: ['angry', 'broken', 'late', 'praise'] } },
    },
  }

  test('are learned part by part and put together', async () => {
    const draft = await learner.generate(briefOf(rows, { output }), never)
    const [answer] = runProgram(draft, [{ weight: 80, country: 'JP', value: 10, text: 'late again' }])
    expect(answer.result).toMatchObject({ way: 'air', cost: { currency: 'EUR' }, tags: ['late', 'angry'] })
    expect(Math.abs(answer.result.cost.net - 80)).toBeLessThan(5)
    expect(draft.outOfFold![7]!.output).toHaveProperty('cost.net')
    const notes = draft.notes.join('\n')
    expect(notes).toMatch(/cost\.currency is "EUR" in all examples/)
    expect(notes).toMatch(/No example has praise/)
    const answers = runProgram(
      draft,
      draft.parity.map(row => row.input),
    )
    expect(answers.map(resultOf)).toEqual(draft.parity.map(row => row.output))
  })

  test('lists of labels are learned from text', async () => {
    const examples = Array.from({ length: 200 }, (_, i) => {
      const parts = [
        ['the invoice is wrong', 'thanks for all', 'hello there'][i % 3],
        ['it crashed', 'it works', 'see below'][(i >> 1) % 3],
      ]
      const labels = [i % 3 === 0 && 'billing', (i >> 1) % 3 === 0 && 'bug'].filter(Boolean) as Json[]
      return { input: { text: `${parts.join(' and ')} ${i}` }, output: labels }
    })
    const list = { type: 'array', items: { enum: ['bug', 'billing'] } }
    const draft = await learner.generate(briefOf(examples, { output: list }), never)
    const answers = runProgram(draft, [
      { text: 'my invoice is wrong and it crashed' },
      { text: 'hello there, it works' },
      { text: 'it crashed' },
    ])
    expect(answers.map(resultOf)).toEqual([['billing', 'bug'], [], ['bug']])
  })

  test.each([
    ['a part that only some examples have', [{ input: { a: 1 }, output: {} }, ...rows], 'INVALID_EXAMPLES'],
    [
      'a label that the schema does not know',
      [{ ...rows[0]!, output: { ...rows[0]!.output, tags: ['x'] } }, ...rows],
      'INVALID_EXAMPLES',
    ],
    ['always the same object', rows.map(row => ({ ...row, output: rows[0]!.output })), 'NOT_ENOUGH_EXAMPLES'],
  ])('%s is refused', async (_, examples, code) => {
    await expect(learner.generate(briefOf(examples, { output }), never)).rejects.toMatchObject({ code })
  })
})

describe('parity on any input', () => {
  const cell = fc.oneof(
    fc.double(),
    fc.integer({ min: -5, max: 105 }),
    fc.constantFrom(
      null,
      true,
      false,
      '12',
      ' -3.5 ',
      '1e400',
      '1_0',
      '٣',
      '0x10',
      1e15,
      1e14,
      2 ** 53 + 2,
      -0,
    ),
    fc.constantFrom('DE', 'fr', 'US', 'JP', 'İ', 'ſ', 'a@b.co', '123456', ''),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(fc.integer(), { maxLength: 3 }),
  )
  const row = fc.record({ weight: cell, country: cell, value: cell, text: cell }, { requiredKeys: [] })
  const inputs = fc.sample(row, { numRuns: 1500, seed: 11 }).map(input => JSON.parse(JSON.stringify(input)))
  const cases: [string, Example[], object][] = [
    ['labels', parcelRows(300), { enum: ['air', 'ask', 'freight', 'post'] }],
    ['numbers', waveRows(300), { type: 'number' }],
    [
      'random booleans',
      inputs.slice(0, 300).map((input, i) => ({ input, output: i % 3 === 0 })),
      { type: 'boolean' },
    ],
  ]

  test.each(cases)('%s', async (_, examples, output) => {
    const brief = briefOf(examples, { output: output as { [key: string]: Json }, strategy: 'trees' })
    const options = { threads: 2, file: packageFile('dist', 'train-worker.js'), report: () => {} }
    const { program } = await learnTargets(planProblem(brief), options)
    const files = [
      { path: 'program.py', content: emitProgram(brief.app, program, ['']) },
      { path: 'model.json', content: encodeProgram(program) },
    ]
    const predict = createPredictor(program)
    const asked = [...inputs, ...examples.map(example => example.input)]
    for (const python of PYTHONS) {
      const answers: Answer[] = runProgram({ files } as Draft, asked, { python })
      answers.forEach(({ result, confidence }, i) => {
        const own = predict(asked[i]!)
        expect(result).toEqual(own.output)
        expect(confidence).toBeCloseTo(own.confidence, 3)
      })
    }
  })
})

const titanic = developmentSet('titanic')

test.skipIf(!titanic)('at least 82 % of titanic is answered rightly', async () => {
  const { train, test, schemas } = titanic!
  const draft = await learner.generate(briefOf(train, schemas), never)
  const answers = runProgram(
    draft,
    test.map(row => row.input),
  )
  const right = answers.filter((answer: Answer, row: number) => answer.result === test[row]!.output).length
  expect(right / test.length).toBeGreaterThanOrEqual(0.82)
})
