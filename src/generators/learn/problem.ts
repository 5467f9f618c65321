import type { Brief } from '../../domain/draft.ts'
import { LoopaiError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import { hasText, type ReadingOrder, readingOrder } from './input-text.ts'
import { inRowOrder, planRows, type Rows } from './rows.ts'
import { type Column, planColumns } from './tables/columns.ts'
import { planTargets, type Shape, type Target } from './targets.ts'

/** What is to be learned and how, as plain data that a thread can be given. */
export interface Problem {
  rows: Rows
  /** One a row. */
  inputs: Json[]
  order: ReadingOrder
  columns: Column[]
  targets: Target[]
  shape: Shape
  /** One a target. */
  strategies: Strategy[]
  metric: Metric
}

export type Metric = NonNullable<Brief['metric']>

/** `either` is trees or linear, whichever answers unseen rows better. */
export type Strategy = 'linear' | 'trees' | 'either' | 'rules' | 'synthesis'

/** What a person may ask for. */
const STRATEGIES = ['linear', 'trees', 'rules'] as const
type Wish = (typeof STRATEGIES)[number]

/** More labels than these would take trees minutes, and text usually tells them apart. */
const MOST_LABELS_EITHER = 30

/** Checks that the task can be learned and decides how. Throws a refusal that says what to do otherwise. */
export function planProblem(brief: Brief): Problem {
  const { examples, app, metric = 'accuracy' } = brief
  const wish = checkBrief(brief)
  const rows = planRows(brief)
  const inputs = inRowOrder(
    rows,
    examples.map(example => example.input),
  )
  const outputs = inRowOrder(
    rows,
    examples.map(example => example.output),
  )
  const columns = planColumns(inputs, app.input_schema)
  const { targets, shape } = planTargets(outputs, rows, app)
  if (columns.length === 0 && !examples.some(({ input }) => hasText(input))) {
    const message = 'the inputs of all examples are the same, so there is nothing to tell them apart by'
    throw new LoopaiError('UNSUPPORTED', message, { hint: 'give the examples inputs that differ' })
  }
  const strategies = targets.map(target => strategyOf(target, columns, wish))
  return { rows, inputs, order: readingOrder(app.input_schema), columns, targets, shape, strategies, metric }
}

/** The table of strategies: the first line that fits. */
function strategyOf(target: Target, columns: Column[], wish: Wish | undefined): Strategy {
  const texts = columns.filter(({ kind }) => kind === 'text').length
  const others = columns.length - texts
  const isChoice = target.kind === 'choice'
  if (target.kind === 'string') return 'synthesis'
  if (wish === 'rules' && isChoice) return 'rules'
  if (wish === 'linear') return 'linear'
  if (wish === 'trees' && columns.length > 0) return 'trees'
  if (others === 0) return 'linear'
  if (texts === 0) return 'trees'
  return isChoice && target.labels.length > MOST_LABELS_EITHER ? 'linear' : 'either'
}

function checkBrief({ strategy, examples, app }: Brief): Wish | undefined {
  const wish = STRATEGIES.find(known => known === strategy)
  if (strategy !== undefined && wish === undefined) {
    const hint = `leave the strategy out, or use one of: ${STRATEGIES.join(', ')}`
    throw new LoopaiError('UNSUPPORTED', `the learner has no strategy "${strategy}"`, { hint })
  }
  if (examples.length === 0) {
    const hint = `add rows like {"input": …, "output": …} to loop-apps/${app.id}/datasets/examples/`
    throw new LoopaiError('NO_EXAMPLES', `${app.id} has no labelled examples to learn from`, { hint })
  }
  return wish
}
