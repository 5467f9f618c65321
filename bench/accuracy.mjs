// How often learned programs are right, next to scikit-learn on the same rows. `node bench/accuracy.mjs [task…]`, and for learning
// curves `node bench/accuracy.mjs --curve [seeds]`; `--seeds 5 [task…]` makes tasks up that often and prints mean differences. A Python with scikit-learn is python3, or the one that LOOPAI_BENCH_PYTHON names.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createRandom, TASKS } from './accuracy/tasks.mjs'
import { load, table } from './measure.mjs'

const PYTHON = process.env.LOOPAI_BENCH_PYTHON ?? 'python3'
/** Nothing that is compared may take longer. */
const TIMEOUT_MS = 300_000
const CURVE_SIZES = [20, 50, 100, 500]
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
const { learner, wilson } = await load(
  'accuracy',
  `export { default as learner } from './src/generators/learn/index.ts'
    export { wilson } from './src/domain/scorecard.ts'`,
)
const hasReference = spawnSync(PYTHON, ['-c', 'import sklearn']).status === 0

try {
  const [first, ...rest] = process.argv.slice(2)
  if (!hasReference) console.log(`scikit-learn is missing for ${PYTHON}: its columns stay empty\n`)
  if (first === '--curve') await printCurves(Number(rest[0] ?? 10), rest.slice(1))
  else if (first === '--seeds') await printSeeds(Number(rest[0] ?? 5), rest.slice(1))
  else await printTable(process.argv.slice(2))
} finally {
  rmSync(folder, { recursive: true })
}

async function printTable(names) {
  const head = [
    'task',
    'rows',
    'best of scikit-learn',
    'loopai',
    'difference',
    'macro-F1',
    'training',
    'model',
    'load',
    'a call, new / known',
  ]
  const rows = []
  for (const [name, make] of Object.entries(TASKS)) {
    if (names.length > 0 && !names.includes(name)) continue
    const task = make()
    if (!task) {
      rows.push([name, 'not there', ...Array(head.length - 2).fill('')])
      continue
    }
    const own = await learn(task)
    const best = bestReference(task)
    rows.push([
      name,
      `${task.train.length} / ${task.test.length}`,
      best ? `${best.model} ${show(best, task)}` : hasReference ? 'timed out' : 'missing',
      show(own, task),
      best ? `${own.score >= best.score ? '+' : ''}${(100 * (own.score - best.score)).toFixed(1)}` : '',
      task.kind === 'number' ? '' : `${percent(own.macroF1)}${best ? ` (${percent(best.macroF1)})` : ''}`,
      `${own.seconds.toFixed(1)} s`,
      `${(own.bytes / 1e6).toFixed(2)} MB`,
      `${Math.round(1e3 * own.load)} ms`,
      `${Math.round(1e6 * own.new)} / ${Math.round(1e6 * own.known)} µs`,
    ])
    console.error(rows.at(-1).join('  '))
  }
  console.log(table(head, rows))
}

/** Mean difference to the best of scikit-learn on made-up tasks, paired over seeds. */
async function printSeeds(seeds, names) {
  // There is nothing to pair with; it was said above.
  if (!hasReference) return
  const rows = []
  for (const [name, make] of Object.entries(TASKS)) {
    if (make.isFixed) continue
    if (names.length > 0 && !names.includes(name)) continue
    const pairs = []
    for (let seed = 0; seed < seeds; seed++) {
      const task = make(seed)
      pairs.push([await learn(task), bestReference(task)])
      const [own, best] = pairs.at(-1)
      console.error(
        name,
        seed,
        [own, best]
          .map(({ score, macroF1 = 0 }) => `${percent(score)} ${percent(macroF1)}`)
          .join(' against '),
      )
    }
    const spread = key => meanAndHalf(pairs.map(([own, best]) => own[key] - best[key]))
    rows.push([
      name,
      percent(mean(pairs.map(([own]) => own.score))),
      spread('score'),
      pairs[0][0].macroF1 === undefined ? '' : spread('macroF1'),
    ])
    console.error(rows.at(-1).join('  '))
  }
  console.log(table(['task', 'loopai', `difference (${seeds} seeds)`, 'difference of macro-F1'], rows))
}

/** In points, with half of the 95 % interval. */
function meanAndHalf(differences) {
  const half = (1.96 * deviation(differences)) / Math.sqrt(differences.length)
  return `${(100 * mean(differences)).toFixed(1)} ± ${(100 * half).toFixed(1)}`
}

/** Mean difference to a linear support vector machine on the same rows, paired over seeds. */
async function printCurves(seeds, names) {
  const rows = []
  for (const name of names.length > 0 ? names : ['sms_spam', 'banking77']) {
    const task = TASKS[name]()
    if (!task || !hasReference) {
      rows.push([name, '', task ? 'scikit-learn is missing' : 'not there', '', ''])
      continue
    }
    for (const size of CURVE_SIZES.filter(size => size < task.train.length)) {
      const pairs = []
      for (let seed = 1; seed <= seeds; seed++) {
        const part = { ...task, train: sample(task.train, size, seed) }
        const labels = [...new Set(part.train.map(row => row.output))]
        if (labels.length < 2) continue
        const [reference] = references(part, 'linear SVM')
        pairs.push([(await learn(part)).score, rate(part, reference.answers).score])
      }
      const differences = pairs.map(([own, other]) => own - other)
      rows.push([
        name,
        size,
        percent(mean(pairs.map(([, other]) => other))),
        percent(mean(pairs.map(([own]) => own))),
        meanAndHalf(differences),
      ])
      console.error(rows.at(-1).join('  '))
    }
  }
  console.log(table(['task', 'rows', 'linear SVM', 'loopai', `difference (${seeds} seeds)`], rows))
}

async function learn({ train, test, input, output }) {
  const app = {
    id: 'bench-001',
    name: 'Bench',
    task: 'Measure accuracy',
    input_schema: input,
    output_schema: output,
  }
  const since = performance.now()
  const brief = { app, examples: train, seed: 1, privacy: 'full' }
  const draft = await learner.generate(brief, AbortSignal.timeout(TIMEOUT_MS))
  const seconds = (performance.now() - since) / 1000
  for (const { path: name, content } of draft.files) writeFileSync(path.join(folder, name), content)
  const inputs = test.map(row => row.input)
  const { answers, ...times } = JSON.parse(run(['-B', script('measure.py'), folder], inputs, 'python3'))
  const bytes = draft.files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  return { ...rate({ test, output }, answers), ...times, seconds, bytes }
}

function bestReference(task) {
  const rated = references(task).map(({ model, answers }) => ({ model, ...rate(task, answers) }))
  return rated.sort((a, b) => b.score - a.score)[0]
}

/** Of models that are done in time. */
function references({ kind, train, test }, only) {
  if (!hasReference) return []
  const lines = run([script('reference.py')], { kind, train, test, only }, PYTHON).split('\n')
  return lines.filter(line => line.endsWith('}')).map(line => JSON.parse(line))
}

/** What it prints, or has printed when the time is over. */
function run(args, input, python) {
  const options = { input: JSON.stringify(input), encoding: 'utf8', maxBuffer: 1 << 28, timeout: TIMEOUT_MS }
  const { status, stdout, stderr, error } = spawnSync(python, args, options)
  if (status !== 0 && error?.code !== 'ETIMEDOUT') throw new Error(error?.message ?? stderr)
  return stdout
}

/** Accuracy and macro-F1 of labels; the share of the variance that is explained of numbers. */
function rate({ test, output }, answers) {
  if (output.type === 'number') {
    const center = mean(test.map(row => row.output))
    const squares = goal => mean(test.map((row, at) => (row.output - goal(at)) ** 2))
    return { score: 1 - squares(at => answers[at]) / squares(() => center) }
  }
  const right = test.filter((row, at) => row.output === answers[at]).length
  const labels = [...new Set(test.map(row => row.output))]
  const scores = labels.map(label => {
    const hits = test.filter((row, at) => row.output === label && answers[at] === label).length
    const own = test.filter(row => row.output === label).length
    return (2 * hits) / (own + answers.filter(answer => answer === label).length)
  })
  return { score: right / test.length, macroF1: mean(scores) }
}

function show({ score }, { test, kind }) {
  if (kind === 'number') return `R² ${score.toFixed(3)}`
  const [low, high] = wilson(score * test.length, test.length)
  return `${percent(score)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`
}

function sample(rows, size, seed) {
  const random = createRandom(seed)
  return rows
    .map(row => ({ row, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, size)
    .map(({ row }) => row)
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function deviation(values) {
  const center = mean(values)
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, values.length - 1),
  )
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`
}

function script(name) {
  return path.join(import.meta.dirname, 'accuracy', name)
}
