import { isDeepStrictEqual } from 'node:util'
import type { Draft } from './draft.ts'
import type { Outcome } from './execution.ts'
import type { Json } from './json.ts'
import type { Check } from './promotion.ts'
import { forbiddenImports, type Sources } from './sources.ts'

/** What a generated program may weigh. */
const MAX_BYTES = 5 * 1024 * 1024
const SHOWN = 3

/** Of single calls, as the host measured them, in milliseconds. */
export interface Latency {
  p50: number
  p95: number
}

export function loadsCheck(problems: string[]): Check {
  const name = 'loads'
  if (problems.length === 0) return { name, outcome: 'pass', message: 'it parses and loads' }
  return { name, outcome: 'fail', message: problems.slice(0, SHOWN).join('; ') }
}

export function importsCheck(sources: Sources, files: string[], packages: string[] = []): Check {
  const name = 'imports'
  const forbidden = forbiddenImports(sources, files, packages)
  if (forbidden.length === 0) {
    const sources = [
      'the standard library',
      ...(packages.length > 0 ? ['its packages'] : []),
      'its own files',
    ]
    const message = `it imports only ${sources.slice(0, -1).join(', ')} and ${sources.at(-1)}`
    return { name, outcome: 'pass', message }
  }
  const places = forbidden.slice(0, SHOWN).map(({ module, file, line }) => `${module} (${file}:${line})`)
  const message = `it imports ${places.join(', ')}; only the computing part of the standard library is allowed, and what requirements.txt names`
  return { name, outcome: 'fail', message }
}

export function sizeCheck(files: { size: number }[]): Check {
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  const message = `${(bytes / 1024 / 1024).toFixed(2)} MB of at most ${MAX_BYTES / 1024 / 1024} MB`
  return { name: 'size', outcome: bytes <= MAX_BYTES ? 'pass' : 'fail', message }
}

/** Every input is answered, and with an output that fits. */
export function answersCheck(inputs: Json[], outcomes: Outcome[]): Check {
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'success' ? [] : [{ input: inputs[i]!, message: outcome.error.message }],
  )
  const message = `answers ${inputs.length - failures.length} of ${inputs.length} inputs`
  if (failures.length === 0) return { name: 'answers', outcome: 'pass', message }
  const reasons = [...new Set(failures.map(failure => failure.message))].slice(0, SHOWN)
  return { name: 'answers', outcome: 'fail', message: `${message}: ${reasons.join('; ')}` }
}

/** The same for what was asked in production. An input that does not fit this version's schema says nothing about its program. */
export function recordedCheck(outcomes: Outcome[]): Check {
  const name = 'recorded inputs'
  const fitting = outcomes.filter(
    outcome => outcome.status === 'success' || outcome.error.kind !== 'invalid_input',
  )
  const failures = fitting.flatMap(outcome => (outcome.status === 'success' ? [] : [outcome.error.message]))
  const message = `answers ${fitting.length - failures.length} of the last ${fitting.length} recorded inputs`
  if (failures.length === 0) return { name, outcome: 'pass', message }
  const reasons = [...new Set(failures)].slice(0, SHOWN)
  return { name, outcome: 'fail', message: `${message}: ${reasons.join('; ')}` }
}

/** `repetitions`: the same inputs once more, each time in other circumstances. */
export function purityCheck(inputs: Json[], first: Outcome[], repetitions: Outcome[][]): Check {
  const changed = inputs.filter((_, i) =>
    repetitions.some(again => !isDeepStrictEqual(answerOf(first[i]!), answerOf(again[i]!))),
  )
  const name = 'pure function'
  if (changed.length === 0) {
    const message = `the same answers twice, in another order and in a fresh process (${inputs.length} inputs)`
    return { name, outcome: 'pass', message }
  }
  const message = `not a pure function: ${changed.length} of ${inputs.length} answers change when they are asked for again, e.g. for ${shorten(changed[0]!)}`
  return { name, outcome: 'fail', message }
}

export function parityCheck(parity: Draft['parity'], outcomes: Outcome[], name = 'parity'): Check {
  const wrong = parity.filter(({ output }, i) => {
    const outcome = outcomes[i]!
    return outcome.status !== 'success' || !isDeepStrictEqual(outcome.output, output)
  })
  const message = `gives the generator's own answers to ${parity.length - wrong.length} of ${parity.length} rows`
  return { name, outcome: wrong.length === 0 ? 'pass' : 'fail', message }
}

export function latencyCheck({ p95 }: Latency, targetMs: number): Check {
  const message = `95 % of the calls take at most ${p95.toFixed(2)} ms, target ${targetMs} ms`
  return { name: 'latency', outcome: p95 <= targetMs ? 'pass' : 'fail', message }
}

/**
 * `runs`: the same inputs, each time in other circumstances. The machine has other things to do, so of each input the fastest run counts: a program
 * that is slow on it is slow in all of them.
 */
export function latencyOf(runs: Outcome[][]): Latency {
  const fastest = runs[0]!.map((_, i) => Math.min(...runs.map(run => run[i]!.latency_ms)))
  const sorted = fastest.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { p50: at(0.5), p95: at(0.95) }
}

/** Without times, which are never the same. */
function answerOf(outcome: Outcome): unknown {
  const { latency_ms: _, ...answer } = outcome
  return outcome.status === 'success' ? answer : outcome.error.kind
}

function shorten(input: Json): string {
  const text = JSON.stringify(input)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
