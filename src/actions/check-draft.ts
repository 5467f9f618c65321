import { isDeepStrictEqual } from 'node:util'
import type { Draft } from '../domain/draft.ts'
import type { Outcome } from '../domain/execution.ts'
import { sampleOf } from '../domain/inference.ts'
import type { Json } from '../domain/json.ts'
import type { Check } from '../domain/promotion.ts'
import type { Behaviour } from '../domain/version.ts'
import type { ProgramPlace } from './open-pool.ts'
import { openProgram, type ProgramOptions } from './open-program.ts'
import type { Yardstick } from './score.ts'

/** How many inputs are run a second time. */
const REPEATED = 200
const SHOWN = 3

export interface DraftCheck {
  checks: Check[]
  /** What the program made of each case and of each example. */
  cases: Outcome[]
  examples: Outcome[]
  /** Of single calls, as the host measured them, in milliseconds. */
  latency: { p50: number; p95: number }
}

/**
 * What every draft has to pass before it becomes a version: it loads, answers every golden case and every example with an output that fits,
 * answers the same in another order and in a fresh process, and answers what the generator's own implementation does.
 */
export async function checkDraft(
  place: ProgramPlace,
  behaviour: Behaviour,
  { cases, examples }: Yardstick,
  parity: Draft['parity'],
  options: ProgramOptions,
): Promise<DraftCheck> {
  const known = [...cases, ...examples].map(row => row.input)
  // Without any row there is still the question whether it answers at all.
  const inputs = known.length > 0 ? known : [sampleOf(behaviour.input_schema)]
  const repeated = inputs.slice(0, REPEATED)
  const answer = (asked: Json[]) => answersOf(place, behaviour, asked, options)
  const [all, again] = await Promise.all([
    answer([...inputs, ...parity.map(row => row.input)]),
    answer(repeated.toReversed()),
  ])
  const outcomes = all.slice(0, inputs.length)
  return {
    checks: [
      answersCheck(inputs, outcomes),
      purityCheck(repeated, outcomes, again.toReversed()),
      ...(parity.length > 0 ? [parityCheck(parity, all.slice(inputs.length))] : []),
    ],
    cases: outcomes.slice(0, cases.length),
    examples: outcomes.slice(cases.length, known.length),
    latency: latencyOf(outcomes),
  }
}

async function answersOf(
  place: ProgramPlace,
  behaviour: Behaviour,
  inputs: Json[],
  options: ProgramOptions,
): Promise<Outcome[]> {
  const program = await openProgram(place, behaviour, options)
  try {
    return await program.answerMany(inputs)
  } finally {
    await program.close()
  }
}

function answersCheck(inputs: Json[], outcomes: Outcome[]): Check {
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'success' ? [] : [{ input: inputs[i]!, message: outcome.error.message }],
  )
  const message = `answers ${inputs.length - failures.length} of ${inputs.length} inputs`
  if (failures.length === 0) return { name: 'answers', outcome: 'pass', message }
  const reasons = [...new Set(failures.map(failure => failure.message))].slice(0, SHOWN)
  return { name: 'answers', outcome: 'fail', message: `${message}: ${reasons.join('; ')}` }
}

function purityCheck(inputs: Json[], first: Outcome[], again: Outcome[]): Check {
  const changed = inputs.filter((_, i) => !isDeepStrictEqual(answerOf(first[i]!), answerOf(again[i]!)))
  const name = 'pure function'
  if (changed.length === 0) {
    const message = `the same answers in another order and in a fresh process (${inputs.length} inputs)`
    return { name, outcome: 'pass', message }
  }
  const message = `not a pure function: ${changed.length} of ${inputs.length} answers change in another order or a fresh process, e.g. for ${shorten(changed[0]!)}`
  return { name, outcome: 'fail', message }
}

/** Without times, which are never the same. */
function answerOf(outcome: Outcome): unknown {
  const { latency_ms: _, ...answer } = outcome
  return outcome.status === 'success' ? answer : outcome.error.kind
}

function parityCheck(parity: Draft['parity'], outcomes: Outcome[]): Check {
  const wrong = parity.filter(({ output }, i) => {
    const outcome = outcomes[i]!
    return outcome.status !== 'success' || !isDeepStrictEqual(outcome.output, output)
  })
  const message = `gives the generator's own answers to ${parity.length - wrong.length} of ${parity.length} rows`
  return { name: 'parity', outcome: wrong.length === 0 ? 'pass' : 'fail', message }
}

function latencyOf(outcomes: Outcome[]): DraftCheck['latency'] {
  const sorted = outcomes.map(outcome => outcome.latency_ms).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { p50: at(0.5), p95: at(0.95) }
}

function shorten(input: Json): string {
  const text = JSON.stringify(input)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
