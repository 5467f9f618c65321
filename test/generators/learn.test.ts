import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Draft, Progress } from '../../src/domain/draft.ts'
import { GENERATORS } from '../../src/generators/index.ts'
import learner from '../../src/generators/learn/index.ts'
import { planProblem } from '../../src/generators/learn/problem.ts'
import { learnInThread } from '../../src/generators/learn/thread.ts'
import {
  type Answer,
  briefOf,
  bundleThreads,
  contentOf,
  developmentSet,
  never,
  resultOf,
  runProgram,
  topicRows,
} from './briefs.ts'

beforeAll(bundleThreads)

describe('a learned program', () => {
  let draft: Draft
  beforeAll(async () => {
    draft = await learner.generate(briefOf(topicRows(80)), never)
  })

  test('answers new inputs with a label and a confidence', () => {
    const [fruit, tool] = runProgram(draft, [{ text: 'a ripe PEAR' }, { text: 'lend me the drill' }])
    expect(fruit.result).toBe('fruit')
    expect(tool.result).toBe('tool')
    expect(fruit.confidence).toBeGreaterThan(0.6)
    expect(fruit.confidence).toBeLessThan(1)
  })

  test('gives the trainer’s own answers to the rows it learned from', () => {
    const answers = runProgram(
      draft,
      draft.parity.map(row => row.input),
    )
    expect(answers.map(resultOf)).toEqual(draft.parity.map(row => row.output))
  })

  test('answers an input in which it knows nothing with the most frequent label and its share', () => {
    const answers = runProgram(draft, [{ text: '' }, {}, { text: null }, { text: '鳥' }])
    for (const answer of answers) expect(answer).toEqual({ result: 'fruit', confidence: 0.5 })
  })

  test('has an answer for every example by a program that had not seen it', () => {
    expect(draft.outOfFold).toHaveLength(80)
    for (const { output, confidence } of draft.outOfFold!) {
      expect(['fruit', 'tool']).toContain(output)
      expect(confidence).toBeGreaterThanOrEqual(0.5)
    }
  })

  test('has the same bytes again, with another number of threads, and from rows in another order', async () => {
    const brief = briefOf(topicRows(80))
    const turned = { ...brief, examples: [...brief.examples].reverse() }
    const [one, three] = await Promise.all(
      [1, 3].map(threads => learnInThread(brief, planProblem(brief), { threads, signal: never })),
    )
    const other = await learner.generate(turned, never)
    expect(one).toEqual(draft)
    expect(three).toEqual(draft)
    expect(other.files).toEqual(draft.files)
    expect(other.outOfFold).toEqual([...draft.outOfFold!].reverse())
  })
})

test('labels keep their types', async () => {
  const boolean = await learner.generate(
    briefOf(topicRows(40, [true, false]), { output: { type: 'boolean' } }),
    never,
  )
  const integer = await learner.generate(
    briefOf(topicRows(40, [5, 1]), { output: { type: 'integer', minimum: 1, maximum: 5 } }),
    never,
  )
  expect(runProgram(boolean, [{ text: 'apple' }])[0].result).toBe(true)
  expect(runProgram(boolean, [{ text: 'hammer' }])[0].result).toBe(false)
  expect(runProgram(integer, [{ text: 'apple' }])[0].result).toBe(5)
})

test('all text of a nested input counts, and booleans and numbers as words', async () => {
  const rows = topicRows(60).map(({ output }, i) => ({
    input: {
      email: { subject: `note ${i % 7}`, body: output === 'fruit' ? 'ripe' : 'sharp' },
      urgent: i % 2 === 0,
      size: i % 5,
    },
    output,
  }))
  const input = {
    type: 'object',
    properties: {
      email: { type: 'object', properties: { subject: { type: 'string' }, body: { type: 'string' } } },
    },
  }
  const draft = await learner.generate(briefOf(rows, { input, strategy: 'linear' }), never)
  const answers = runProgram(draft, [
    { email: { body: 'ripe' } },
    { email: { body: 'sharp' } },
    { urgent: false, size: 2.5 },
  ])
  expect(answers.map(resultOf)).toEqual(['fruit', 'tool', 'tool'])
})

test('three and more labels are told apart', async () => {
  const extra = topicRows(60).map(({ input }, i) => ({
    input: {
      text: (input as { text: string }).text.replace(
        /(apple|pear|plum|cherry|grape|melon|peach|hammer|saw|drill|wrench|chisel|plane|file)/g,
        ['cat', 'dog', 'cow'][i % 3]!,
      ),
    },
    output: 'animal',
  }))
  const draft = await learner.generate(briefOf([...topicRows(120), ...extra]), never)
  const answers = runProgram(draft, [{ text: 'a dog' }, { text: 'plum' }, { text: 'chisel' }])
  expect(answers.map(resultOf)).toEqual(['animal', 'fruit', 'tool'])
})

test('a program contains no address, link, account or long number', async () => {
  const secrets = [
    'jane.doe@example.com',
    'https://example.com/u/jane',
    'DE89 3704 0044 0532 0130 00',
    '0171-5550 1234',
    '4111111111111111',
  ]
  const rows = topicRows(60).map(({ input, output }, i) => ({
    input: { text: `${(input as { text: string }).text} ${secrets[i % 5]}` },
    output,
  }))
  const draft = await learner.generate(briefOf(rows), never)
  const text = draft.files.map(file => file.content).join('\n') + draft.notes.join('\n')
  for (const piece of ['jane', 'doe', 'example.com', '3704', '5550', '4111'])
    expect(text).not.toContain(piece)
  expect(contentOf(draft, 'model.json')).toContain('_mail_')
})

test('with private records a word needs three distinct inputs', async () => {
  const rows = topicRows(60)
  const names = ['smithson', 'oconnell', 'twice', 'twice', 'three', 'three', 'three']
  names.forEach((name, i) => {
    rows[i]!.input = { text: `${(rows[i]!.input as { text: string }).text} ${name}` }
  })
  rows.push({ ...rows[0]! }, { ...rows[0]! })
  const shown = await learner.generate(briefOf(rows), never)
  const hidden = await learner.generate(briefOf(rows, { privacy: 'metadata' }), never)
  expect(contentOf(shown, 'model.json')).toContain('smithson')
  expect(contentOf(hidden, 'model.json')).not.toMatch(/smith|oconn|twice/)
  expect(contentOf(hidden, 'model.json')).toContain('three')
})

test('hostile examples cannot break out of the program', async () => {
  const hostile = [
    '"""\nraise SystemExit(3)\n"""',
    "'''\\",
    '\\N{DIGIT ONE}\\',
    '\u202e\u2066}}',
    '\u2028import os',
    '\r\nexit(1)',
    '\ud800',
    '@@TOKEN@@',
    '$&',
  ]
  const labels = ['"""\nraise SystemExit(4)\n"""', '# \u2029\u202eboom\r\\']
  const rows = topicRows(72).map(({ input }, i) => ({
    input: {
      text: `${(input as { text: string }).text} ${hostile[i % hostile.length]}`,
      [hostile[i % hostile.length]!]: 'x',
    },
    output: labels[i % 2]!,
  }))
  const brief = briefOf(rows)
  Object.assign(brief.app, { name: '"""\nexit(5)', task: '\nexit(6)\u202e' })
  const draft = await learner.generate(brief, never)
  const code = contentOf(draft, 'program.py')
  expect(code).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u2028\u2029\r]/)
  const answers = runProgram(
    draft,
    draft.parity.map(row => row.input),
  )
  expect(answers.map(resultOf)).toEqual(draft.parity.map(row => row.output))
})

describe('notes', () => {
  test('name contradictions, duplicates, wrong labels and what more examples would bring', async () => {
    const rows = topicRows(120)
    rows[10] = { ...rows[10]!, output: 'tool' }
    rows.push(
      { input: { text: 'THE SAME' }, output: 'fruit' },
      { input: { text: 'the same!' }, output: 'tool' },
    )
    rows.push(rows[0]!)
    const notes = (await learner.generate(briefOf(rows), never)).notes.join('\n')
    expect(notes).toContain('123 examples')
    expect(notes).toMatch(/contradict each other.*121, 122/)
    expect(notes).toMatch(/repeats an earlier one/)
    expect(notes).toMatch(/may be wrong: row 11 \(rather fruit\)/)
    expect(notes).toMatch(/With half of the examples/)
  })

  test('accuses no label where a few texts differ in their numbers only', async () => {
    const rows = Array.from({ length: 60 }, (_, n) => ({
      input: { text: `${n % 2 ? 'help me' : 'good bye'} ${n}` },
      output: n % 2 ? 'b' : 'a',
    }))
    const { notes } = await learner.generate(briefOf(rows), never)
    expect(notes.join(' ')).toContain('there are only 2 different inputs')
    expect(notes.join(' ')).not.toContain('may be wrong')
  })

  test('recommend a language model when a label has few examples', async () => {
    const { notes } = await learner.generate(briefOf(topicRows(12)), never)
    expect(notes.join('\n')).toMatch(/Fewer than 10 examples of fruit, tool.*language model/)
  })
})

test.each([2, 3, 4, 5])('%i examples are enough for a program', async count => {
  const draft = await learner.generate(briefOf(topicRows(count)), never)
  expect(runProgram(draft, [{ text: 'x' }])[0].confidence).toBeGreaterThan(0)
})

describe('refusals', () => {
  const rows = topicRows(10)
  test.each([
    ['no examples', briefOf([]), 'NO_EXAMPLES'],
    [
      'a single label',
      briefOf(
        rows.filter(row => row.output === 'fruit'),
        { output: { enum: ['fruit', 'tool'] } },
      ),
      'NOT_ENOUGH_EXAMPLES',
    ],
    [
      'inputs that are all the same',
      briefOf(rows.map(row => ({ ...row, input: { size: 3 } }))),
      'UNSUPPORTED',
    ],
    ['free text as output', briefOf(rows, { output: { type: 'string' } }), 'UNSUPPORTED'],
    ['outputs that are no numbers', briefOf(rows, { output: { type: 'number' } }), 'INVALID_EXAMPLES'],
    ['outputs of no type', briefOf(rows, { output: {} }), 'UNSUPPORTED'],
    ['an output that the schema forbids', briefOf(rows, { output: { enum: ['fruit'] } }), 'INVALID_EXAMPLES'],
    ['an unknown strategy', briefOf(rows, { strategy: 'magic' }), 'UNSUPPORTED'],
  ])('%s', async (_, brief, code) => {
    await expect(learner.generate(brief, never)).rejects.toMatchObject({ code, hint: expect.any(String) })
  })

  test('name the label there is and the one that is missing', async () => {
    const brief = briefOf(
      rows.filter(row => row.output === 'fruit'),
      { output: { enum: ['fruit', 'tool'] } },
    )
    await expect(learner.generate(brief, never)).rejects.toMatchObject({
      message: expect.stringContaining('"fruit"'),
      hint: expect.stringContaining('"tool"'),
    })
  })
})

test('an abort ends all threads and rejects with its reason', async () => {
  const threads = () => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0)
  const started = 1 + Math.min(8, availableParallelism())
  const controller = new AbortController()
  const reason = new Error('stopped by the test')
  let during = 0
  const report = ({ stage }: Progress) => {
    if (stage !== 'comparing settings') return
    during = threads()
    controller.abort(reason)
  }
  await expect(learner.generate(briefOf(topicRows(2000), { report }), controller.signal)).rejects.toBe(reason)
  // Node's own pool may have grown meanwhile, so the difference is taken from the time when all ran.
  if (during > 0) expect(during - threads()).toBeGreaterThanOrEqual(started)
})

test('a signal that is already aborted starts nothing', async () => {
  const reason = new Error('too late')
  await expect(learner.generate(briefOf(topicRows(20)), AbortSignal.abort(reason))).rejects.toBe(reason)
})

test('progress is reported while the main thread stays free', async () => {
  const stages = new Set<string>()
  let ticks = 0
  const timer = setInterval(() => ticks++, 5)
  await learner.generate(briefOf(topicRows(400), { report: ({ stage }) => stages.add(stage) }), never)
  clearInterval(timer)
  expect(stages.size).toBeGreaterThan(2)
  expect(ticks).toBeGreaterThan(10)
})

test('every generator in the table can be loaded', async () => {
  for (const load of Object.values(GENERATORS)) expect((await load()).default.generate).toBeTypeOf('function')
})

const spam = developmentSet('sms_spam')

test.skipIf(!spam)('at least 98.5 % of sms_spam is answered rightly', async () => {
  const { train, test, schemas } = spam!
  const draft = await learner.generate(briefOf(train, schemas), never)
  const answers = runProgram(
    draft,
    test.map(row => row.input),
  )
  const right = answers.filter((answer: Answer, row: number) => answer.result === test[row]!.output).length
  expect(right / test.length).toBeGreaterThanOrEqual(0.985)
  expect(contentOf(draft, 'model.json').length).toBeLessThan(5e6)
})
