import { isDeepStrictEqual } from 'node:util'
import type { Feedback } from './draft.ts'
import type { Example } from './example.ts'
import type { Outcome } from './execution.ts'
import type { Check } from './promotion.ts'

/** Failing rows that are passed on, at most. */
const MOST_FAILURES = 50

/** What these checks know of the program's text and speed; the messages of the others quote rows that its writer is not shown. */
const ABOUT_THE_TEXT = ['loads', 'imports', 'size', 'latency']

export interface Tried {
  attempts: number
  files: Feedback['files']
  checks: Check[]
  /** Rows that the writer was shown, and what came of them; none when the program does not load. */
  shown: { example: Example; outcome: Outcome }[]
}

/** What the writer of a draft is told of how it went. */
export function feedbackOf({ attempts, files, checks, shown }: Tried): Feedback {
  const failures = shown.flatMap(({ example, outcome }): Feedback['failures'] => {
    const { input, output: expected } = example
    if (outcome.status !== 'success') return [{ input, expected, error: outcome.error.message }]
    return isDeepStrictEqual(outcome.output, expected) ? [] : [{ input, expected, got: outcome.output }]
  })
  return {
    attempts,
    files,
    problems: checks.filter(check => check.outcome === 'fail').map(describe),
    accuracy: shown.length === 0 ? null : 1 - failures.length / shown.length,
    failures: failures.slice(0, MOST_FAILURES),
  }
}

function describe({ name, message }: Check): string {
  if (ABOUT_THE_TEXT.includes(name)) return `${name}: ${message}`
  if (name === 'pure function')
    return 'not a pure function: some answers change when they are asked for again'
  const raised = [
    ...message.matchAll(/(\w+(?:Error|Exception|Interrupt|Iteration))\b[^;]*?(\(\S+:\d+\))?(?=;|$)/g),
  ]
  const errors = [...new Set(raised.map(([, kind, place]) => [kind, place].filter(Boolean).join(' ')))]
  const what =
    errors.length > 0 ? errors.join(', ') : 'answers that do not fit the output schema, or none in time'
  return `${name}: some inputs are not answered (${what})`
}
