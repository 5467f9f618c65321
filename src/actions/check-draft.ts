import {
  answersCheck,
  importsCheck,
  type Latency,
  latencyCheck,
  latencyOf,
  loadsCheck,
  parityCheck,
  purityCheck,
  recordedCheck,
  sizeCheck,
} from '../domain/checks.ts'
import type { Draft } from '../domain/draft.ts'
import type { Outcome } from '../domain/execution.ts'
import { sampleOf } from '../domain/inference.ts'
import type { Json } from '../domain/json.ts'
import type { Check } from '../domain/promotion.ts'
import type { Sources } from '../domain/sources.ts'
import type { Behaviour } from '../domain/version.ts'
import type { ProgramPlace } from './open-pool.ts'
import { openProgram, type Program, type ProgramOptions } from './open-program.ts'
import { readSources } from './read-sources.ts'
import type { Yardstick } from './score.ts'

/** How many inputs are run a second time. */
const REPEATED = 200
/** So many inputs that take too long, or too much memory, are enough to know; the others are not waited for. */
const MOST_COSTLY = 5
/** How long a generated program may take to load. */
const LOAD_MS = 1000

export interface DraftToCheck {
  place: ProgramPlace
  behaviour: Behaviour
  /** As they lie in the folder of `place`. */
  files: { path: string; size: number }[]
  sources: Record<string, string>
  parity: Draft['parity']
  /** A learned module beside the program. */
  learned?: Draft['learned']
  /** Inputs of recorded executions. */
  recorded: Json[]
  targetMs: number
  /** Of its packages, what it may import. */
  modules: string[]
  /** A generated program also has limits on what it imports, weighs and takes to load; a person knows why. */
  isGenerated: boolean
}

export interface DraftCheck {
  checks: Check[]
  /** What the program made of each case and of each example; empty when it does not load. */
  cases: Outcome[]
  examples: Outcome[]
  latency: Latency
}

/**
 * What every draft has to pass before it becomes a version: it parses and loads; answers every golden case, every example and every recorded
 * input with an output that fits, and fast enough; answers the same in another order and in a fresh process, and what the generator's
 * own implementation answers.
 */
export async function checkDraft(
  draft: DraftToCheck,
  { cases, examples }: Yardstick,
  options: ProgramOptions,
): Promise<DraftCheck> {
  const { files, sources, parity, learned, recorded, behaviour } = draft
  const known = [...cases, ...examples].map(row => row.input)
  // Without any row there is still the question whether it answers at all.
  const inputs = known.length > 0 ? known : [sampleOf(behaviour.input_schema)]
  const repeated = inputs.slice(0, REPEATED)
  const asked = [...inputs, ...repeated, ...parity.map(row => row.input), ...recorded]
  const backwards = repeated.toReversed()
  const [early, run, again, part] = await Promise.all([
    isReadByLoading(draft) ? NOTHING_ODD : readSources(sources, options),
    answersOf(draft, asked, options),
    answersOf(draft, backwards, options),
    learned && learnedCheck(draft, learned, options),
  ])
  // It says where the mistake is.
  const read =
    early === NOTHING_ODD && run.failure && Object.keys(sources).length > 0
      ? await readSources(sources, options)
      : early
  const problems = read.problems.length > 0 ? read.problems : [run.failure ?? again.failure ?? []].flat()
  const standing = draft.isGenerated
    ? [
        importsCheck(
          read,
          files.map(file => file.path),
          draft.modules,
        ),
        sizeCheck(files),
      ]
    : []
  if (problems.length > 0) return withoutAnswers([loadsCheck(problems), ...standing])
  const stopped = [
    { inputs: asked, outcomes: run.outcomes },
    { inputs: backwards, outcomes: again.outcomes },
  ].find(({ inputs, outcomes }) => outcomes.length < inputs.length)
  if (stopped) {
    const reached = stopped.inputs.slice(0, stopped.outcomes.length)
    return withoutAnswers([loadsCheck([]), ...standing, answersCheck(reached, stopped.outcomes)])
  }
  const outcomes = run.outcomes.slice(0, inputs.length)
  const twice = run.outcomes.slice(inputs.length)
  const reversed = again.outcomes.toReversed()
  const runs = [outcomes.slice(0, repeated.length), twice.slice(0, repeated.length), reversed]
  const latency = await measureLatency(draft, { repeated, runs }, options)
  const extra = twice.slice(repeated.length)
  return {
    checks: [
      loadsCheck([]),
      ...standing,
      answersCheck(inputs, outcomes),
      ...(recorded.length > 0 ? [recordedCheck(extra.slice(parity.length))] : []),
      purityCheck(repeated, outcomes, [twice, reversed]),
      ...(parity.length > 0 ? [parityCheck(parity, extra)] : []),
      ...(part ? [part] : []),
      latencyCheck(latency, draft.targetMs),
    ],
    cases: outcomes.slice(0, cases.length),
    examples: outcomes.slice(cases.length, known.length),
    latency,
  }
}

const NOTHING_ODD: Sources = { problems: [], imports: [] }

/** A file that loads has been parsed; what a person's program imports is their own matter. */
function isReadByLoading({ isGenerated, sources, place }: DraftToCheck): boolean {
  return !isGenerated && Object.keys(sources).every(name => name === place.entry)
}

/** So many times slower than it is, a program may look on a machine that has much else to do. */
const DOUBTFUL = 10
const MORE_RUNS = 3

/** Looks again before a program is called slow. */
async function measureLatency(
  draft: DraftToCheck,
  { repeated, runs }: { repeated: Json[]; runs: Outcome[][] },
  options: ProgramOptions,
): Promise<Latency> {
  let latency = latencyOf(runs)
  for (let more = 0; more < MORE_RUNS; more++) {
    if (latency.p95 <= draft.targetMs || latency.p95 > DOUBTFUL * draft.targetMs) break
    const { outcomes } = await answersOf(draft, repeated, options)
    if (outcomes.length < repeated.length) break
    runs.push(outcomes)
    latency = latencyOf(runs)
  }
  return latency
}

function withoutAnswers(checks: Check[]): DraftCheck {
  return { checks, cases: [], examples: [], latency: { p50: 0, p95: 0 } }
}

/** The learned module is a program too: alone it gives the answers of the learner that made it. */
async function learnedCheck(
  draft: DraftToCheck,
  { entry, parity }: NonNullable<Draft['learned']>,
  options: ProgramOptions,
): Promise<Check> {
  const alone = { ...draft, place: { ...draft.place, entry } }
  const { outcomes, failure } = await answersOf(
    alone,
    parity.map(row => row.input),
    options,
  )
  const name = 'parity of the learned part'
  if (failure) return { name, outcome: 'fail', message: failure }
  return parityCheck(parity.slice(0, outcomes.length), outcomes, name)
}

interface Run {
  /** Why the program did not load. */
  failure?: string
  /** Of the first inputs only, when too many of them took too long. */
  outcomes: Outcome[]
}

/** In a fresh process. Slow loading may be the machine's fault, once. */
async function answersOf(
  draft: DraftToCheck,
  inputs: Json[],
  options: ProgramOptions,
  attempts = 2,
): Promise<Run> {
  const { limits } = draft.behaviour
  // Packages take their own time.
  const isQuick = draft.isGenerated && draft.modules.length === 0
  const load_ms = isQuick ? Math.min(LOAD_MS, limits.load_ms) : limits.load_ms
  const contract = { ...draft.behaviour, limits: { ...limits, load_ms } }
  const program = await openProgram(draft.place, contract, options)
  try {
    const { failure } = program
    if (!failure) return { outcomes: await answerInTime(program, inputs) }
    if (failure.latencyMs < load_ms || attempts === 1) return { failure: failure.message, outcomes: [] }
  } finally {
    await program.close()
  }
  return answersOf(draft, inputs, options, attempts - 1)
}

function isCostly(outcome: Outcome): boolean {
  if (outcome.status === 'success') return false
  return outcome.error.kind === 'timeout' || outcome.error.kind === 'resource_limit'
}

/** Asks ever more inputs at a time, and stops when too many of them were costly. */
async function answerInTime(program: Program, inputs: Json[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (let size = MOST_COSTLY; outcomes.length < inputs.length; size *= 10) {
    const next = inputs.slice(outcomes.length, outcomes.length + size)
    for (const outcome of await program.answerMany(next)) outcomes.push(outcome)
    if (outcomes.filter(isCostly).length >= MOST_COSTLY) break
  }
  return outcomes
}
