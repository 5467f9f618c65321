// What accuracy is measured on: the three development sets where they are there, and made-up tasks of other kinds.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * A task is {name, kind: 'text' | 'table' | 'number', train, test, input, output}; `undefined` where its rows are not there. Those that are
 * made up are others for each number that is given.
 */
export const TASKS = {
  sms_spam: developmentSet('sms_spam', 'text'),
  banking77: developmentSet('banking77', 'text'),
  titanic: developmentSet('titanic', 'table'),
  'long texts, 12 labels': (more = 0) =>
    topics({ seed: 1 + 1000 * more, labels: 12, rows: 1500, words: 180, telling: 0.07 }),
  'short texts, 150 labels': (more = 0) =>
    topics({ seed: 2 + 1000 * more, labels: 150, rows: 6000, words: 8, telling: 0.5 }),
  'skewed, 1 in 30': (more = 0) =>
    topics({ seed: 3 + 1000 * more, labels: 2, rows: 3000, words: 12, telling: 0.2, rare: 30 }),
  'six scripts, 8 labels': (more = 0) =>
    topics({ seed: 4 + 1000 * more, labels: 8, rows: 2500, words: 9, telling: 0.3, scripts: true }),
  '20 rows': (more = 0) => topics({ seed: 5 + 1000 * more, labels: 2, rows: 20, words: 10, telling: 0.4 }),
  '50 rows': (more = 0) => topics({ seed: 6 + 1000 * more, labels: 3, rows: 50, words: 10, telling: 0.4 }),
  '100 rows': (more = 0) => topics({ seed: 7 + 1000 * more, labels: 4, rows: 100, words: 10, telling: 0.4 }),
  'table of 12,000 rows': (more = 0) => cells({ seed: 8 + 1000 * more, rows: 12_000, labels: 3 }),
  'table of 100 rows': (more = 0) => cells({ seed: 9 + 1000 * more, rows: 100, labels: 2 }),
  'numbers, 3,000 rows': (more = 0) => cells({ seed: 10 + 1000 * more, rows: 3000, labels: 0 }),
}

const TEST_ROWS = 1500

function developmentSet(name, kind) {
  return Object.assign(() => readDevelopmentSet(name, kind), { isFixed: true })
}

function readDevelopmentSet(name, kind) {
  const folder = path.join(import.meta.dirname, '../../../shared/data', name)
  if (!existsSync(folder)) return undefined
  const read = file => readFileSync(path.join(folder, file), 'utf8')
  const rows = file =>
    read(file)
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  const { inputSchema, outputSchema } = JSON.parse(read('task.json'))
  return {
    name,
    kind,
    train: rows('train.jsonl'),
    test: rows('test.jsonl'),
    input: inputSchema,
    output: outputSchema,
  }
}

/** Texts of made-up words. A share of the words is from the label's own list, the rest, as often as in real texts, from anywhere. */
function topics({ seed, labels, rows, words, telling, rare, scripts }) {
  const random = createRandom(seed)
  const alphabets = scripts
    ? [
        'bdfgklmnprst:aeiou',
        'бвгдклмнпр:аеиоу',
        'βγδκλμνπρ:αειου',
        'กขคงจชดต:าิุเ',
        'कखगचजतदन:ािुे',
        '的一是不了人我在有他这中大来上国',
      ]
    : ['bdfgklmnprst:aeiou']
  const wordOf = () => {
    const [consonants, vowels = ''] = pick(alphabets).split(':')
    const one = [...consonants]
    if (vowels === '') return pick(one) + pick(one)
    return (
      Array.from({ length: 1 + below(3) }, () => pick(one) + pick([...vowels])).join('') +
      (below(2) ? pick(one) : '')
    )
  }
  const common = Array.from({ length: 4000 }, wordOf)
  const own = Array.from({ length: labels }, () => Array.from({ length: 60 }, wordOf))
  const make = () => {
    const label = rare ? (below(rare) === 0 ? 1 : 0) : below(labels)
    const length = Math.max(2, Math.round(words * (0.4 + 1.2 * random())))
    const text = Array.from({ length }, () =>
      random() < telling
        ? own[label][zipf(60)]
        : random() < 0.1
          ? own[below(labels)][zipf(60)]
          : common[zipf(4000)],
    )
    return { input: { text: text.join(' ') }, output: `label ${random() < 0.03 ? below(labels) : label}` }
  }
  return {
    kind: 'text',
    train: Array.from({ length: rows }, make),
    test: Array.from({ length: TEST_ROWS }, make),
    input: { type: 'object', properties: { text: { type: 'string' } } },
    output: { enum: Array.from({ length: labels }, (_, label) => `label ${label}`) },
  }

  function below(limit) {
    return Math.floor(random() * limit)
  }
  function pick(values) {
    return values[below(values.length)]
  }
  function zipf(limit) {
    return Math.floor(limit ** random()) - 1
  }
}

/** Tables of numbers, categories and gaps; what is asked depends on both in a crooked way. Without labels it is a number. */
function cells({ seed, rows, labels }) {
  const random = createRandom(seed)
  const effects = Array.from({ length: 40 }, () => 2 * random() - 1)
  const make = () => {
    const numbers = Array.from({ length: 9 }, () => random())
    const city = Math.floor(40 * random())
    const kind = Math.floor(4 * random())
    const [a, b, c, d, e] = numbers
    const value =
      Math.sin(5 * a) +
      2 * (b - 0.5) * (kind - 1.5) +
      effects[city] +
      (c > 0.6 ? d : -e) +
      0.4 * (random() + random() - 1)
    const input = { city: `city ${city}`, kind: 'abcd'[kind], urgent: c > 0.6 }
    numbers.forEach((number, at) => {
      input[`n${at}`] = random() < 0.05 ? null : Math.round(1000 * number) / 10
    })
    if (labels === 0) return { input, output: Math.round(100 * value) / 100 }
    return {
      input,
      output: `class ${Math.max(0, Math.min(labels - 1, Math.floor(((value + 2) / 4) * labels)))}`,
    }
  }
  return {
    kind: labels === 0 ? 'number' : 'table',
    train: Array.from({ length: rows }, make),
    test: Array.from({ length: TEST_ROWS }, make),
    input: { type: 'object' },
    output:
      labels === 0
        ? { type: 'number' }
        : { enum: Array.from({ length: labels }, (_, label) => `class ${label}`) },
  }
}

/** Mulberry32: the same rows on every machine. */
export function createRandom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
