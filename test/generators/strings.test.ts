import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Draft } from '../../src/domain/draft.ts'
import type { Json } from '../../src/domain/json.ts'
import { emitProgram } from '../../src/generators/learn/emit.ts'
import { learnTargets } from '../../src/generators/learn/heads.ts'
import learner from '../../src/generators/learn/index.ts'
import { planProblem } from '../../src/generators/learn/problem.ts'
import { createPredictor, encodeProgram } from '../../src/generators/learn/program.ts'
import {
  type Answer,
  briefOf,
  bundleThreads,
  contentOf,
  never,
  PYTHONS,
  resultOf,
  runProgram,
} from './briefs.ts'

beforeAll(bundleThreads)
/** Learning takes seconds, and the machine may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const output = { type: 'string' }

const CASES: [string, [input: string, output: string][], [input: string, output: string][]][] = [
  [
    'initials and a last name',
    [
      ['Ada Lovelace', 'A. Lovelace'],
      ['alan Turing', 'a. Turing'],
      ['Grace Hopper', 'G. Hopper'],
      ['Barbara Liskov', 'B. Liskov'],
    ],
    [['Edsger Dijkstra', 'E. Dijkstra']],
  ],
  [
    'a file name',
    [
      ['/home/ada/report.pdf', 'report'],
      ['/tmp/x/y/notes.txt', 'notes'],
      ['/var/song.mp3', 'song'],
    ],
    [['/a/b/c/d/picture.png', 'picture']],
  ],
  [
    'upper case of the part before an @',
    [
      ['jane@example.com', 'JANE'],
      ['bob.smith@x.org', 'BOB.SMITH'],
      ['li@y.net', 'LI'],
    ],
    [['kim.lee@z.io', 'KIM.LEE']],
  ],
  [
    'dates written another way',
    [
      ['03/05/2024', '2024-03-05'],
      ['12/31/1999', '1999-12-31'],
      ['07/04/2020', '2020-07-04'],
    ],
    [['01/15/2021', '2021-01-15']],
  ],
  [
    'the month of a date in words',
    [
      ['2024-03-05', 'March 5, 2024'],
      ['1999-12-31', 'December 31, 1999'],
      ['2020-07-14', 'July 14, 2020'],
    ],
    [['2021-01-09', 'January 9, 2021']],
  ],
  [
    'numbers rounded and grouped',
    [
      ['total 1234.567 EUR', '1,234.57'],
      ['total 99.5 EUR', '99.50'],
      ['total 1000000 EUR', '1,000,000.00'],
    ],
    [['total 20.005 EUR', '20.01']],
  ],
]

test.each(CASES)('%s', async (_, examples, asked) => {
  const rows = examples.map(([input, output]) => ({ input: { text: input }, output }))
  const draft = await learner.generate(briefOf(rows, { output }), never)
  const answers = runProgram(
    draft,
    [...examples, ...asked].map(([text]) => ({ text })),
  )
  expect(answers.map(resultOf)).toEqual([...examples, ...asked].map(([, output]) => output))
})

test('several properties are put together', async () => {
  const people = [
    ['Ada', 'Lovelace', 7],
    ['Alan', 'Turing', 12],
    ['Grace', 'Hopper', 130],
  ] as const
  const rows = people.map(([first, last, id]) => ({
    input: { first, last, id },
    output: `${last}, ${first} (#${id})`,
  }))
  const draft = await learner.generate(briefOf(rows, { output }), never)
  const [answer] = runProgram(draft, [{ first: 'Edsger', last: 'Dijkstra', id: 4 }])
  expect(answer.result).toBe('Dijkstra, Edsger (#4)')
})

test('an input that lacks what the examples had gets no answer, without confidence', async () => {
  const rows = ['a@b.c', 'dd@ee.ff', 'gh@ij.kl'].map(text => ({
    input: { text },
    output: text.split('@')[0]!,
  }))
  const draft = await learner.generate(briefOf(rows, { output }), never)
  expect(runProgram(draft, [{ text: '!!' }, {}])).toEqual([
    { result: '', confidence: 0 },
    { result: '', confidence: 0 },
  ])
})

test('the input on which the two cheapest programs differ is shown', async () => {
  const rows = ['Ada Lovelace', 'Alan Turing', 'Grace Hopper'].map(text => ({
    input: { text },
    output: text.split(' ')[1]!,
  }))
  const draft = await learner.generate(briefOf(rows, { output }), never)
  expect(draft.notes.join('\n')).toMatch(/not sure about inputs like \{"text":.*or rather/)
})

test.each([
  [
    'two examples',
    [
      ['a b', 'b'],
      ['c d', 'd'],
    ],
    'NOT_ENOUGH_EXAMPLES',
    '',
  ],
  [
    'outputs that are not in the input',
    [
      ['x', 'q9'],
      ['y', 'w7'],
      ['z', 'e5'],
      ['v', 'm1'],
    ],
    'UNSUPPORTED',
    '--generator llm',
  ],
])('%s are refused', async (_, examples, code, hint) => {
  const rows = (examples as string[][]).map(([text, output]) => ({ input: { text: text! }, output: output! }))
  await expect(learner.generate(briefOf(rows, { output }), never)).rejects.toMatchObject({
    code,
    hint: expect.stringContaining(hint),
  })
})

test('hostile examples stay inside quotes', async () => {
  const rows = ['one', 'two', 'six'].map(word => ({
    input: { '"]) + exit(1) #\n': `"""\\ ${word} \u202e` },
    output: `"""\\\n${word}\u2028'#`,
  }))
  const draft = await learner.generate(briefOf(rows, { output }), never)
  expect(contentOf(draft, 'program.py')).not.toMatch(/[\u202a-\u202e\u2028]/)
  expect(
    runProgram(
      draft,
      rows.map(row => row.input),
    ).map(resultOf),
  ).toEqual(rows.map(row => row.output))
})

describe('parity on any input', () => {
  const word = fc.oneof(
    fc.constantFrom(
      '03/05/2024',
      '2024-13-45',
      '12:30 pm',
      '7 March 99',
      '1,234.567',
      '-.5',
      '1e9',
      'Ünï',
      'ẞß',
      'ΑΣ',
      '🙂x',
    ),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.string({ maxLength: 12 }),
    fc.double().map(String),
  )
  const value = fc.oneof(
    fc.array(word, { maxLength: 6 }).map(words => words.join(' ')),
    fc.double(),
    fc.constantFrom(null, true, 0, 12),
  )
  const asked: Json[] = fc
    .sample(fc.record({ text: value }), { numRuns: 1500, seed: 3 })
    .map(input => JSON.parse(JSON.stringify(input)))

  test.each(CASES)('%s', async (_, examples) => {
    const brief = briefOf(
      examples.map(([text, output]) => ({ input: { text }, output })),
      { output },
    )
    const { program } = await learnTargets(planProblem(brief), { threads: 1, file: '', report: () => {} })
    const files = [
      { path: 'program.py', content: emitProgram(brief.app, program, ['']) },
      { path: 'model.json', content: encodeProgram(program) },
    ]
    const predict = createPredictor(program)
    const own = asked.map(input => predict(input).output)
    for (const python of PYTHONS) {
      const answers: Answer[] = runProgram({ files } as Draft, asked, { python })
      expect(answers.map(resultOf)).toEqual(own)
    }
  })
})
