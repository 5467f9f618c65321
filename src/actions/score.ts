import { availableParallelism } from 'node:os'
import { type GoldenCase, keptVerdicts, rowsToRun, scorecardOf, verdictsOf } from '../domain/evaluation.ts'
import type { Example } from '../domain/example.ts'
import type { Outcome } from '../domain/execution.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import type { Version } from '../domain/version.ts'
import type { LoopApp } from '../store/apps.ts'
import {
  type ExampleFile,
  type PlacedExample,
  readCaseFile,
  readCases,
  readExamples,
} from '../store/examples.ts'
import { admitVersion, verifyVersion } from '../store/versions.ts'
import { openProgram, type ProgramOptions, placeOf } from './open-program.ts'

/** What versions of an app are judged by. */
export interface Yardstick {
  cases: GoldenCase[]
  examples: Example[]
  /** Where the examples are from. */
  files: ExampleFile[]
}

/** Golden cases (of `casesFile` when given) and labelled rows as they are now. */
export async function readYardstick(app: LoopApp, casesFile?: string): Promise<Yardstick> {
  const [cases, files] = await Promise.all([
    casesFile === undefined ? readCases(app) : readCaseFile(casesFile),
    readExamples(app),
  ])
  return { cases: cases.map(namedCase), examples: files.flatMap(file => file.rows), files }
}

/** Runs a version on what has to be run to judge it. */
export async function score(
  app: LoopApp,
  version: Version,
  { cases, examples }: Yardstick,
  options: ProgramOptions = {},
): Promise<Scorecard> {
  const { digest, evaluation } = version.manifest
  const rows = rowsToRun(evaluation, examples)
  const outcomes = await answersOf(app, version, [...rows, ...cases], options)
  const verdicts = new Map([
    ...keptVerdicts(evaluation, examples),
    ...verdictsOf(rows, outcomes.slice(0, rows.length)),
  ])
  const method = evaluation?.held_out.method ?? 'held_out'
  const judged = { cases, outcomes: outcomes.slice(rows.length) }
  return scorecardOf({ number: version.number, digest }, method, verdicts, judged)
}

async function answersOf(
  app: LoopApp,
  version: Version,
  rows: Example[],
  options: ProgramOptions,
): Promise<Outcome[]> {
  if (rows.length === 0) {
    await verifyVersion(app, version)
    return []
  }
  const gate = () => admitVersion(app, version)
  const size = Math.min(availableParallelism(), Math.ceil(rows.length / 100))
  const program = await openProgram(placeOf(app, version), version.manifest, { size, ...options, gate })
  try {
    return await program.answerMany(rows.map(row => row.input))
  } finally {
    await program.close()
  }
}

function namedCase({ id, line, ...example }: PlacedExample): GoldenCase {
  return { name: id ?? `line ${line}`, input: example.input, output: example.output }
}
