import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Draft } from '../../src/domain/draft.ts'
import { emitProgram } from '../../src/generators/learn/emit.ts'
import { learnTargets } from '../../src/generators/learn/heads.ts'
import { planProblem } from '../../src/generators/learn/problem.ts'
import { createPredictor, encodeProgram } from '../../src/generators/learn/program.ts'
import { tokenize } from '../../src/generators/learn/tokens.ts'
import { packageFile } from '../../src/package.ts'
import { briefOf, bundleThreads, PYTHONS, runProgram } from './briefs.ts'

const TRICKY = [
  ...'İIıßẞΣΑΟΣςǅﬁéé\u0301ÅæЖЯжЁԱաὈᾈＡａ１٣۵९২_09 .,/-@:%+#!?🙂👩‍👩‍👧🇩🇪1️⃣漢字カナ、。क्षि\u200c\u200d\u00ad\ufeff\u2028\u3000\u00a0\u1e9e\u{10ffff}\u{1e900}\u{20000}\ua7c0\u1c89',
] as const
const PIECES = [
  'https://',
  'www.',
  'x@y.z',
  'DE89 3704 0044',
  'gb82west12345698765432',
  '12345',
  '0845 281-00',
  'WWW.A/b',
  'ab12 cd3e 4567 89',
  'the',
  'THE',
]
const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(...TRICKY), maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  fc.constantFrom(...PIECES),
)
const text = fc.array(word, { maxLength: 30 }).map(words => words.join(' '))
const wordlist = fc.array(word, { maxLength: 12 }).map(words => words.join(''))
const texts = fc.sample(fc.oneof(text, wordlist), { numRuns: 1500, seed: 7 })

beforeAll(bundleThreads)

describe.each([
  [2, 'words'],
  [3, 'words'],
  [40, 'words'],
  [2, 'features'],
  [40, 'features'],
] as const)('with %i labels, counting %s', (labels, counting) => {
  let draft: Draft
  let predict: ReturnType<typeof createPredictor>
  const labelNames = Array.from({ length: labels }, (_, i) => `label ${i}`)
  beforeAll(async () => {
    const examples = texts
      .slice(0, 500)
      .map((text, i) => ({ input: { text }, output: labelNames[i % labels]! }))
    const brief = briefOf(examples)
    const file = packageFile('dist', 'train-worker.js')
    const { program } = await learnTargets(planProblem(brief), { threads: 2, file, report: () => {} })
    program.linear!.counting = counting
    predict = createPredictor(program)
    draft = {
      runtime: 'python',
      entry: 'program.py',
      files: [
        { path: 'program.py', content: emitProgram(brief.app, program, ['']) },
        { path: 'model.json', content: encodeProgram(program) },
      ],
      notes: [],
      parity: [],
    }
  })

  test.each(PYTHONS)('%s cuts and scores any text as the trainer does', python => {
    const inputs = [...texts, '', 'a', ' ', 'é'.repeat(70), 'spam '.repeat(300), '\u{1f642}'.repeat(90)]
    const expression =
      '[program.tokenize(value), program.LINEAR(program.tokenize(value)), program.execute({"text": value})]'
    const answers = runProgram(draft, inputs, { python, expression })
    inputs.forEach((input, i) => {
      const [tokens, scores, { result, confidence }] = answers[i]
      const own = predict({ text: input })
      expect(tokens).toEqual(tokenize(input))
      expect(result).toBe(own.output)
      expect(confidence).toBeCloseTo(own.confidence, 3)
      if (scores === null) expect(own.scores[0]).toBeNaN()
      else expect(largestDifference(scores, own.scores)).toBeLessThan(1e-9)
    })
  })
})

test('a very long text is cut at the same place and does not overflow a lane', async () => {
  const examples = texts.slice(0, 60).map((text, i) => ({ input: { text }, output: i % 2 }))
  const brief = briefOf(examples)
  const { program } = await learnTargets(planProblem(brief), {
    threads: 1,
    file: packageFile('dist', 'train-worker.js'),
    report: () => {},
  })
  const files = [
    { path: 'program.py', content: emitProgram(brief.app, program, ['']) },
    { path: 'model.json', content: encodeProgram(program) },
  ]
  const long = [texts.join(' ').repeat(10), `${'🙂'.repeat(99_999)}the the`, 'a!'.repeat(300_000)]
  const scores = runProgram({ files } as Draft, long, {
    expression: 'program.LINEAR(program.tokenize(value))',
  })
  const own = long.map(input => createPredictor(program)({ text: input }).scores)
  expect(largestDifference(scores.flat(), own.flat())).toBeLessThan(1e-9)
})

test.each([
  [900, -900, 0],
  [-900, -901, -902],
])('scores as far out as %d, %d and %d are no trouble', async (...biases) => {
  const examples = texts.slice(0, 60).map((text, i) => ({ input: { text }, output: i % 3 }))
  const brief = briefOf(examples)
  const file = packageFile('dist', 'train-worker.js')
  const { program } = await learnTargets(planProblem(brief), { threads: 1, file, report: () => {} })
  program.linear!.biases = biases
  const files = [
    { path: 'program.py', content: emitProgram(brief.app, program, ['']) },
    { path: 'model.json', content: encodeProgram(program) },
  ]
  const [answer] = runProgram({ files } as Draft, [texts[0]!], {
    expression: 'program.execute({"text": value})',
  })
  const { output, confidence } = createPredictor(program)({ text: texts[0]! })
  expect(answer).toEqual({ result: output, confidence: expect.closeTo(confidence, 3) })
})

function largestDifference(a: number[], b: number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))
}
