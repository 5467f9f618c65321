import { askOfGenerator, needsTrust } from '../domain/asks.ts'
import type { Config } from '../domain/config.ts'
import { type Brief, type Cost, type Draft, type Feedback, MOST_UNPRICED_CALLS } from '../domain/draft.ts'
import { type ErrorCode, LoopaiError } from '../domain/errors.ts'
import { isHeldOut } from '../domain/evaluation.ts'
import { feedbackOf } from '../domain/feedback.ts'
import { sampleOf } from '../domain/inference.ts'
import { joinPart, ownFiles } from '../domain/learned-part.ts'
import { type Metric, measure } from '../domain/quality.ts'
import type { Origin } from '../domain/version.ts'
import { GENERATORS, type GeneratorName } from '../generators/index.ts'
import type { LoopApp } from '../store/apps.ts'
import type { DataDirectory } from '../store/root.ts'
import { isTrusted } from '../store/trust.ts'
import type { Candidate } from './candidate.ts'
import { type Judged, judgeDraft } from './judge-draft.ts'
import { lockDraft } from './lock-draft.ts'
import { readPrinted } from './read-printed.ts'
import type { Yardstick } from './score.ts'
import type { Workspace } from './workspace.ts'
import { finishHybrid, learnPart } from './write-hybrid.ts'

/** Drafts, each told what was wrong with the one before. */
const ATTEMPTS = 3
/** Failing rows whose printed lines the next attempt is told: 1,000 characters each. */
const MOST_PRINTED = 4
/** What keeps a writer from another draft, and leaves those that there are as good as they were. */
const SURVIVABLE: ErrorCode[] = [
  'BUDGET_EXHAUSTED',
  'GENERATOR_FAILED',
  'INVALID_REQUIREMENTS',
  'PACKAGES_FAILED',
]

export interface WritingTask {
  data: DataDirectory
  app: LoopApp
  config: Config
  generator: GeneratorName
  brief: Brief
  yardstick: Yardstick
  /** How often to begin from scratch. */
  candidates: number
  /** Learn first, and have programs written around what was learned. */
  isHybrid?: boolean
  unsandboxed: boolean | undefined
}

export interface Search {
  best?: Judged
  /** Of all drafts together. */
  cost: Cost | undefined
  /** Drafts that were made. */
  drafts: number
  /** Why it ended earlier than it might have. */
  remarks: string[]
}

export type Written = Omit<Search, 'best'> & Judged & { madeOf?: Origin['made_of'] }

/**
 * Has drafts written, checked and judged, and returns the best, which may be one that fails its checks. What is learned is made once; what is
 * written is mended in rounds, and begun anew as often as there are to be candidates. The caller removes the candidate's folder.
 */
export async function writeProgram(workspace: Workspace, task: WritingTask): Promise<Written> {
  const isTrusted = checkTrust(task)
  warnOfCost(workspace, task)
  const search: Search = { cost: undefined, drafts: 0, remarks: [] }
  try {
    const learned = task.isHybrid ? await learnPart(workspace, task) : undefined
    search.best = learned?.alone
    for (let number = 1; number <= task.candidates; number++) {
      const candidate = { number, of: task.candidates }
      const goesOn = await writeInRounds(
        workspace,
        {
          ...task,
          brief: { ...task.brief, isTrusted, candidate, ...(learned && { learned: learned.part }) },
        },
        search,
      )
      if (!goesOn) break
    }
    if (learned) return await finishHybrid(workspace, task, { search, learned })
    const { best, ...rest } = search
    return { ...rest, ...best! }
  } catch (error) {
    await search.best?.candidate.staged.remove()
    throw error
  }
}

/** Whether somebody has agreed; refused when it is needed and nobody has. */
function checkTrust({ data, generator, config, app }: WritingTask): boolean {
  const ask = askOfGenerator(generator, config.generator)
  if (ask && isTrusted(data.root, ask)) return true
  if (!ask || !needsTrust(ask)) return false
  const what =
    ask.kind === 'server'
      ? `send examples to ${ask.url}`
      : `run ${JSON.stringify('command' in ask && ask.command)} on this machine`
  throw new LoopaiError(
    'NOT_TRUSTED',
    `the configuration of ${app.id} asks to ${what}, and nobody here has agreed to that`,
    {
      hint: 'read it, and agree with: loopai trust',
      details: { ask },
    },
  )
}

function warnOfCost({ report }: Workspace, { generator, config }: WritingTask): void {
  const { provider, prices } = config.generator
  if (generator !== 'llm' || prices || provider === 'ollama') return
  report(
    `without generator.prices in config.yaml the budget cannot stop anything: at most ${MOST_UNPRICED_CALLS} questions are asked`,
  )
}

/** Keeps the best draft in `search`. False when another beginning would be no use. */
async function writeInRounds(workspace: Workspace, task: WritingTask, search: Search): Promise<boolean> {
  const { generator, config, brief } = task
  const rounds = generator === 'llm' || generator === 'command' ? (config.generator.attempts ?? ATTEMPTS) : 1
  let feedback: Brief['feedback']
  for (let round = 1; round <= rounds; round++) {
    const draft = await writeOne(
      workspace,
      { ...task, brief: { ...brief, ...(feedback && { feedback }) } },
      search,
    )
    if (!draft) return false
    const judged = await judgeDraft(workspace, task, { draft, generator })
    await keepBetter(search, judged, config)
    workspace.signal.throwIfAborted()
    feedback = feedbackOn(task, judged, round)
    const { metric, accuracy } = config.targets
    const reached = measure(judged.candidate.report, metric) ?? feedback.accuracy ?? 1
    const isGood = feedback.problems.length === 0 && reached >= accuracy
    if (isGood || round === rounds) break
    feedback = await withPrinted(workspace, task, { draft, feedback })
  }
  return true
}

/** Nothing, when the writer fails or has used its budget up and there is a draft already. */
async function writeOne(workspace: Workspace, task: WritingTask, search: Search): Promise<Draft | undefined> {
  const { default: generator } = await GENERATORS[task.generator]()
  const calls = search.cost?.calls ?? 0
  const budgetUsd = task.config.budget.llm_usd_per_attempt - (search.cost?.usd ?? 0)
  try {
    const written = await generator.generate({ ...task.brief, budgetUsd, calls }, workspace.signal)
    const draft = task.brief.learned ? joinPart(written, task.brief.learned) : written
    search.drafts++
    search.cost = addCosts(search.cost, draft.cost)
    return await lockDraft(workspace, draft, task)
  } catch (error) {
    const isSurvivable = error instanceof LoopaiError && SURVIVABLE.includes(error.code)
    if (!isSurvivable || !search.best || search.drafts === 0) throw error
    search.remarks.push(`No further attempt: ${error.message}.`)
    return undefined
  }
}

function addCosts(sum: Cost | undefined, next: Cost | undefined): Cost | undefined {
  if (!sum || !next) return sum ?? next
  return {
    ...sum,
    calls: sum.calls + next.calls,
    input_tokens: sum.input_tokens + next.input_tokens,
    output_tokens: sum.output_tokens + next.output_tokens,
    usd: sum.usd + next.usd,
  }
}

async function keepBetter(search: Search, next: Judged, { targets }: Config): Promise<void> {
  const before = search.best
  const rank = (one: Judged) => rankOf(one.candidate, targets.metric)
  const isBetter = !before || rank(next) > rank(before)
  if (isBetter) search.best = next
  const loser = isBetter ? before : next
  await loser?.candidate.staged.remove()
}

/** Passing every check comes first, then what the target is about, or what is right of the rows that its writer was not shown. */
function rankOf({ check, scorecard, report }: Candidate, metric: Metric): number {
  const passes = check.checks.every(({ outcome }) => outcome !== 'fail')
  // R² has no lower bound.
  const quality = Math.max(-1, measure(report, metric) ?? scorecard.held_out.accuracy ?? 0)
  return (passes ? 10 : 0) + quality + (scorecard.cases.accuracy ?? 0) / 1000
}

function feedbackOn(
  { yardstick, brief }: WritingTask,
  { draft, candidate: { check } }: Judged,
  attempts: number,
) {
  const tried = check.examples.map((outcome, i) => ({ example: yardstick.examples[i]!, outcome }))
  return feedbackOf({
    attempts,
    files: ownFiles(draft, brief.learned?.files ?? []),
    checks: check.checks,
    shown: tried.filter(({ example }) => !isHeldOut(example)),
  })
}

/** Adds what the draft prints for the first rows that it gets wrong, exceptions first, or instead of loading. */
async function withPrinted(
  { signal }: Workspace,
  { app, config, unsandboxed }: WritingTask,
  { draft, feedback }: { draft: Draft; feedback: Feedback },
): Promise<Feedback> {
  const failures = feedback.failures.toSorted((a, b) => Number(!a.error) - Number(!b.error))
  const asked = failures.slice(0, MOST_PRINTED)
  const isLoading = feedback.accuracy !== null
  if (isLoading && asked.length === 0) return feedback
  const inputs = isLoading ? asked.map(({ input }) => input) : [sampleOf(config.input_schema)]
  const options = { inputs, limits: config.limits, unsandboxed, signal, size: 1 }
  const printed = await readPrinted(app, draft, options)
  if (!isLoading) return { ...feedback, ...(printed[0] && { printed: printed[0] }) }
  const told = failures.map((failure, i) => (printed[i] ? { ...failure, printed: printed[i] } : failure))
  return { ...feedback, failures: told }
}
