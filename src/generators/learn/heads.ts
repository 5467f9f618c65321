import type { Json } from '../../domain/json.ts'
import { textOf } from './input-text.ts'
import { scaleOf, scoresOfSpan } from './lanes.ts'
import type { Problem } from './problem.ts'
import { type Head, type Part, type Program, sharpenScores } from './program.ts'
import { type Answered, readScores } from './readings.ts'
import { trainRules } from './rules/train.ts'
import { type TrainedString, trainString } from './strings/train.ts'
import type { Column } from './tables/columns.ts'
import type { TableLesson } from './tables/share.ts'
import type { TrainedSingle } from './tables/single.ts'
import { type TrainedTrees, trainSingle, trainTrees } from './tables/train.ts'
import type { ChoiceTarget, NumberTarget, Target } from './targets.ts'
import { type LearningCurve, type TrainedLinear, type TrainOptions, trainLinear } from './train.ts'

/** How one target was learned. */
export interface LearnedPart {
  head: Head
  /** By row, of programs that had not seen it. */
  answers: Answered[]
  learningCurve?: LearningCurve
  /** What it is, for people. */
  description: string
}

export interface Learned {
  program: Program
  /** One a target. */
  parts: LearnedPart[]
}

/** Learns every target with its strategy: all that are linear together, from one look at the text, the others one by one. */
export async function learnTargets(problem: Problem, options: TrainOptions): Promise<Learned> {
  const { targets, strategies, order, shape, inputs, rows, metric } = problem
  const isLinear = targets.map((_, at) => strategies[at] === 'linear' || strategies[at] === 'either')
  const together = targets.filter((_, at) => isLinear[at])
  const texts = together.length > 0 ? inputs.map(input => textOf(input, order)) : []
  const linear =
    together.length > 0 ? await trainLinear({ rows, texts, targets: together, metric }, options) : undefined

  const parts: LearnedPart[] = []
  for (const [at, target] of targets.entries()) parts.push(await learnPart(target, at))
  const heads = parts.map(({ head }) => head)
  const usesLinear = heads.some(({ by }) => by === 'linear')
  const program = { order, shape, heads, ...(usesLinear && { linear: linear!.model }) }
  return { parts, program: sharpenScores(program) }

  /** Phrases where there is text, questions about the columns where there is none. */
  async function learnRules(target: ChoiceTarget): Promise<LearnedPart> {
    const { columns } = problem
    if (columns.some(({ kind }) => kind !== 'text') && isMostlyTable(columns)) {
      return singlePart(trainSingle({ rows, inputs, columns, target, metric })!)
    }
    options.report({ stage: 'looking for phrases', done: 0, total: 1 })
    const { list, answers } = trainRules(target, { rows, texts: inputs.map(input => textOf(input, order)) })
    const right = answers.filter(({ output }, row) => output === target.labels[target.label[row]!]).length
    const share = `${((100 * right) / answers.length).toFixed(1)} %`
    return {
      head: { by: 'rules', rules: list },
      answers: answers.map(answer => ({ ...answer, lead: 0 })),
      description: `A list of ${list.rules.length} phrases; it answers ${share} of the examples rightly when it has not seen them`,
    }
  }

  /** The single tree where it answers unseen rows (nearly) as well as many of them together. */
  async function learnTable(lesson: TableLesson): Promise<LearnedPart> {
    const { target } = lesson
    const single = trainSingle(lesson)
    if (single?.answers.every((answer, row) => mistake(target, answer, row) === 0)) return singlePart(single)
    const boosted = treesPart(target, await trainTrees(lesson, options))
    const { learningCurve } = boosted
    if (!single || !isAboutAsGood(target, single.answers, boosted.answers, SIMPLICITY)) return boosted
    return { ...singlePart(single), ...(learningCurve && { learningCurve }) }
  }

  async function learnPart(target: Target, at: number): Promise<LearnedPart> {
    if (target.kind === 'string') {
      options.report({ stage: 'looking for a program', done: 0, total: 1 })
      return stringPart(trainString(target, inputs))
    }
    if (strategies[at] === 'rules' && target.kind === 'choice') return learnRules(target)
    const text = isLinear[at] ? linearPart(target, linear!, together.indexOf(target)) : undefined
    if (strategies[at] === 'linear') return text!
    const lesson = { rows, inputs, columns: problem.columns, target, metric }
    const table = await learnTable(lesson)
    if (!text) return table
    const [usual, other] = isMostlyTable(problem.columns) ? [table, text] : [text, table]
    return isAboutAsGood(target, usual.answers, other.answers) ? usual : other
  }
}

function stringPart({ program, answers, doubt }: TrainedString): LearnedPart {
  const right = `cut from the input in ${program.pieces.length} ${program.pieces.length === 1 ? 'piece' : 'pieces'}`
  const question = doubt
    ? `. It is not sure about inputs like ${JSON.stringify(doubt.input)}: ${JSON.stringify(doubt.output)}, or rather ${JSON.stringify(doubt.other)}? An example like it would settle that`
    : ''
  return {
    head: { by: 'string', string: program },
    answers: answers.map(answer => ({ ...answer, lead: 0 })),
    description: `A program that fits every example, ${right}${question}`,
  }
}

function linearPart(target: ChoiceTarget | NumberTarget, trained: TrainedLinear, at: number): LearnedPart {
  const { spans, scores, setting, model, learningCurve } = trained
  const span = spans[at]!
  const { reading, answers } = readScores(target, scoresOfSpan(scores, model.biases.length, span))
  const blocks = [setting.use.words && 'words and pairs of words', setting.use.chars && 'character sequences']
  const kind = setting.bayes ? 'Naive Bayes on' : 'A linear model of'
  const features = blocks.filter(Boolean).join(' with ')
  const exact = setting.counting === 'features' ? ', each counted exactly' : ''
  const price = setting.bayes
    ? ''
    : ` (C = ${setting.cost}${setting.balanced ? ', rare labels weighted up' : ''})`
  const description = `${kind} ${features}${exact}${price}`
  return { head: { by: 'linear', span, reading }, answers, learningCurve, description }
}

function treesPart(target: ChoiceTarget | NumberTarget, trained: TrainedTrees): LearnedPart {
  const { model, texts, scores, learningCurve, rounds, leaves } = trained
  const { reading, answers } = readScores(target, scores)
  const description = `${rounds} rounds of boosted trees with up to ${leaves} leaves`
  return { head: { by: 'trees', model, texts, reading }, answers, learningCurve, description }
}

function singlePart({ tree, answers }: TrainedSingle): LearnedPart {
  const head: Head = { by: 'code', code: tree }
  return { head, answers: answers.map(answer => ({ ...answer, lead: 0 })), description: 'A few questions' }
}

/** What a program that can be read as code may cost: with few rows, a standard error is much more. */
const SIMPLICITY = 0.005

function isMostlyTable(columns: Column[]): boolean {
  return columns.filter(({ kind }) => kind === 'text').length < columns.length / 2
}

/** Within one standard error of the difference, and by no more than `most` worse (of the rows, or of the variance of numbers). */
function isAboutAsGood(
  target: ChoiceTarget | NumberTarget,
  simple: Part[],
  complex: Part[],
  most = Number.POSITIVE_INFINITY,
): boolean {
  const worse = simple.map(
    (answer, row) => mistake(target, answer, row) - mistake(target, complex[row]!, row),
  )
  const mean = worse.reduce((sum, difference) => sum + difference, 0) / worse.length
  const variance = worse.reduce((sum, difference) => sum + (difference - mean) ** 2, 0) / worse.length
  const unit = target.kind === 'number' ? scaleOf(target.value).spread ** 2 : 1
  return mean <= Math.min(Math.sqrt(variance / worse.length), most * unit)
}

/** 0 for a right label and 1 for a wrong one; the squared error of a number. */
function mistake(target: ChoiceTarget | NumberTarget, { output }: { output: Json }, row: number): number {
  if (target.kind === 'number') return ((output as number) - target.value[row]!) ** 2
  return output === target.labels[target.label[row]!] ? 0 : 1
}
