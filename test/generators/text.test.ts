import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Draft } from '../../src/domain/draft.ts'
import type { Example } from '../../src/domain/example.ts'
import learner from '../../src/generators/learn/index.ts'
import { briefOf, bundleThreads, contentOf, never, resultOf, runProgram, topicRows } from './briefs.ts'

beforeAll(bundleThreads)
/** Learning takes seconds, and the machine may be busy. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** The answers of a program to the rows that it gives for a parity check. */
function expectParity(draft: Draft): void {
  const answers = runProgram(
    draft,
    draft.parity.map(row => row.input),
  )
  expect(answers.map(resultOf)).toEqual(draft.parity.map(row => row.output))
}

describe('any script is read', () => {
  const scripts: [string, string[], string[], [string, string]][] = [
    [
      'Chinese, without blanks',
      ['我想退款', '请把钱退给我', '退款什么时候到账', '申请退款的方法'],
      ['快递还没到', '包裹什么时候送到', '快递员没有来', '查询包裹的位置'],
      ['怎么退款', '快递在哪里'],
    ],
    [
      'Thai, without blanks and with marks',
      ['ขอคืนเงิน', 'อยากได้เงินคืน', 'เงินคืนเมื่อไหร่', 'วิธีขอคืนเงิน'],
      ['พัสดุยังไม่ถึง', 'พัสดุอยู่ที่ไหน', 'ส่งพัสดุเมื่อไหร่', 'ติดตามพัสดุ'],
      ['ต้องการคืนเงิน', 'พัสดุหาย'],
    ],
    [
      'Hindi, with marks',
      ['पैसे वापस चाहिए', 'मेरा पैसा वापस करो', 'पैसे कब वापस मिलेंगे', 'रिफंड का तरीका पैसे'],
      ['पार्सल नहीं आया', 'पार्सल कहाँ है', 'पार्सल कब आएगा', 'पार्सल की जानकारी'],
      ['मुझे पैसे वापस दो', 'मेरा पार्सल'],
    ],
    [
      'Arabic, from right to left',
      ['أريد استرداد المال', 'متى يصل استرداد المال', 'طلب استرداد', 'كيف يتم الاسترداد'],
      ['أين الطرد', 'لم يصل الطرد', 'متى يصل الطرد', 'تتبع الطرد'],
      ['استرداد من فضلك', 'الطرد ضائع'],
    ],
    [
      'Japanese and Korean, mixed with emoji',
      ['返金してください💸', '返金はいつですか', '환불 返金 부탁', '返金の方法'],
      ['荷物が届かない📦', '荷物はどこですか', '택배 荷物 언제', '荷物の追跡'],
      ['返金希望', '荷物まだ？'],
    ],
  ]
  test.each(scripts)('%s', async (_, refunds, parcels, [refund, parcel]) => {
    const rows = [...refunds, ...parcels].flatMap((text, i) =>
      ['', '!', ' 2'].map(end => ({
        input: { text: text + end },
        output: i < refunds.length ? 'refund' : 'parcel',
      })),
    )
    const draft = await learner.generate(briefOf(rows), never)
    expect(runProgram(draft, [{ text: refund }, { text: parcel }]).map(resultOf)).toEqual([
      'refund',
      'parcel',
    ])
    expectParity(draft)
  })
})

/** Long texts: a few telling sentences among many that say nothing. */
function longRows(count: number): Example[] {
  const filler =
    'it was a day like any other and people went about their work in the town by the river'.split(' ')
  const telling = [
    ['the goal came late', 'a fine match', 'the team ran', 'they won the cup'],
    ['the vote was close', 'parliament met', 'the minister spoke', 'a new law'],
    ['the stock fell', 'profits rose', 'the bank lent', 'prices went up'],
  ]
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from(
      { length: 70 },
      (_, at) => filler[(i * 7 + at * at * (1 + (i % 5))) % filler.length]!,
    )
    const own = telling[i % 3]!
    const other = telling[(i + 1) % 3]!
    words.splice((i * 11) % 60, 0, own[i % 4]!)
    words.splice((i * 5) % 60, 0, own[(i >> 2) % 4]!)
    words.splice((i * 3) % 60, 0, other[(i >> 1) % 4]!)
    return { input: { text: words.join(' ') }, output: ['sport', 'politics', 'money'][i % 3]! }
  })
}

test('features of long texts may be counted exactly', async () => {
  const rows = longRows(360)
  const draft = await learner.generate(briefOf(rows), never)
  const right = draft.outOfFold!.filter(({ output }, at) => output === rows[at]!.output).length
  expect(right / rows.length).toBeGreaterThan(0.9)
  expectParity(draft)
})

test('with macro-F1 as the metric a rare label is found more often', async () => {
  const rows = topicRows(600).map(({ input }, i) => {
    const rare = i % 20 === 0
    const text = `${(input as { text: string }).text} ${rare && i % 40 === 0 ? 'urgent' : ''} ${i % 7 === 0 ? 'urgent' : ''}`
    return { input: { text }, output: rare ? 'rare' : 'usual' }
  })
  const found = async (metric: 'accuracy' | 'macro_f1') => {
    const draft = await learner.generate(briefOf(rows, { metric }), never)
    if (metric === 'macro_f1') expect(draft.notes.join('\n')).toMatch(/macro-F1/)
    return draft.outOfFold!.filter(({ output }, at) => output === 'rare' && rows[at]!.output === 'rare')
      .length
  }
  expect(await found('macro_f1')).toBeGreaterThanOrEqual(await found('accuracy'))
})

describe('with the strategy "rules"', () => {
  test('a text program is a list of phrases in code', async () => {
    const rows = topicRows(200).map(({ input, output }, i) => ({
      input: {
        text: `${(input as { text: string }).text} ${output === 'fruit' && i % 3 === 0 ? 'very ripe"""\u202e' : ''}`,
      },
      output,
    }))
    const draft = await learner.generate(briefOf(rows, { strategy: 'rules' }), never)
    const code = contentOf(draft, 'program.py')
    expect(code).toMatch(/if "\w+( \w+)?" in found:\n {8}return "(fruit|tool)", 0\.\d+/)
    expect(code).not.toMatch(/\u202e/)
    const answers = runProgram(draft, [
      { text: 'apple, pear, plum, cherry, grape' },
      { text: 'hammer, saw, drill, file' },
      {},
    ])
    expect(answers.slice(0, 2).map(resultOf)).toEqual(['fruit', 'tool'])
    expect(draft.outOfFold).toHaveLength(200)
    expectParity(draft)
  })

  test('a table program is a single tree', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({
      input: { age: (i * 7) % 90, city: ['Rome', 'Oslo'][i % 2]! },
      output: (i * 7) % 90 < 18 ? 'child' : 'adult',
    }))
    const draft = await learner.generate(briefOf(rows, { strategy: 'rules' }), never)
    expect(contentOf(draft, 'program.py')).toMatch(/if age <= 17/)
    expectParity(draft)
  })
})
