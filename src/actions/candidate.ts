import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../domain/config.ts'
import type { Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import { evaluationOf, isHeldOut, scorecardOf, verdictsOf } from '../domain/evaluation.ts'
import { type Example, exampleKey } from '../domain/example.ts'
import { type Answered, areAmounts, qualityOf, type Report } from '../domain/quality.ts'
import { packagesDependency } from '../domain/requirements.ts'
import type { Scorecard } from '../domain/scorecard.ts'
import { type Behaviour, digestOf, type Origin } from '../domain/version.ts'
import { countDuplicates, findContradictions } from '../generators/learn/contradictions.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { readLatestExecutions } from '../store/datasets.ts'
import type { NewExampleFile } from '../store/examples.ts'
import { personOf } from '../store/identity.ts'
import { nextNumber } from '../store/numbers.ts'
import {
  completeVersion,
  findByDigest,
  type StagedVersion,
  stageVersion,
  verifyVersion,
} from '../store/versions.ts'
import { checkDraft, type DraftCheck } from './check-draft.ts'
import { findInherited, type Inherited } from './find-inherited.ts'
import type { OpenApp } from './open-app.ts'
import type { ProgramOptions } from './open-program.ts'
import type { Yardstick } from './score.ts'
import type { Workspace } from './workspace.ts'
import { type Prepared, write } from './write.ts'

/** A draft on disk that has been checked and judged, and may become a version. `staged.remove` drops it. */
export interface Candidate {
  staged: StagedVersion
  behaviour: Behaviour
  digest: string
  check: DraftCheck
  scorecard: Scorecard
  report?: Report
  /** Of a written one: what it owes to a learned version. */
  inherited?: Inherited | undefined
}

export type DraftFiles = Pick<Draft, 'files' | 'runtime' | 'entry'> &
  Partial<Pick<Draft, 'parity' | 'learned' | 'outOfFold' | 'report' | 'packages'>>

export interface PrepareOptions extends ProgramOptions {
  /** Whether a generator wrote it, and not a person. */
  isGenerated: boolean
}

/** Recorded inputs on which a draft is tried. */
const RECORDED = 1000

/** Puts a draft on disk under a temporary name, runs its checks and judges it. */
export async function prepareCandidate(
  app: LoopApp,
  config: Config,
  draft: DraftFiles,
  yardstick: Yardstick,
  { isGenerated, ...options }: PrepareOptions,
): Promise<Candidate> {
  const recorded = await readLatestExecutions(app, RECORDED)
  const staged = await stageVersion(app, draft.files)
  try {
    const behaviour = behaviourOf(config, draft)
    const toCheck = {
      place: { loopAppId: app.id, version: 'draft' as const, directory: staged.directory, ...draft },
      modules: draft.packages?.modules ?? [],
      behaviour,
      files: staged.files,
      sources: sourcesOf(draft),
      parity: draft.parity ?? [],
      learned: draft.learned,
      recorded: recorded.flatMap(({ input }) => (input === undefined ? [] : [input])),
      targetMs: config.targets.latency_ms,
      isGenerated,
    }
    const check = await checkDraft(toCheck, yardstick, options)
    const digest = digestOf(staged.files, behaviour)
    const inherited = isGenerated ? undefined : await findInherited(app, staged.files)
    return {
      staged,
      behaviour,
      digest,
      check,
      scorecard: judge(draft, digest, yardstick, { check, inherited }),
      report: reportOn(draft, yardstick, { check, staged, inherited }),
      inherited,
    }
  } catch (error) {
    await staged.remove()
    throw error
  }
}

/** A draft that failed its checks is shown, never registered. */
export function refuseFailed(app: LoopApp, { check }: Candidate): void {
  const failed = check.checks.filter(({ outcome }) => outcome !== 'pass')
  if (failed.length === 0) return
  const reasons = failed.map(({ name, message }) => `${name}: ${message}`)
  throw new LoopaiError(
    'DRAFT_FAILED',
    [`the draft for ${app.id} fails its checks`, ...reasons].join('\n  '),
    {
      hint: 'nothing was registered; correct the program and try again',
      details: { checks: check.checks },
    },
  )
}

export interface Registered {
  version: number
  digest: string
  /** False when a version with this digest was there already; `version` names it. */
  changed: boolean
  commit: string | null
}

export interface Birth {
  origin: Omit<Origin, 'loopai'>
  /** Rows that join the app's examples with this version. */
  examples?: NewExampleFile | undefined
  prepared?: Prepared | undefined
}

/** Makes a version of a candidate: claims the next number and commits it. The staged folder is gone afterwards. */
export async function registerCandidate(
  workspace: Workspace,
  { data, app }: Pick<OpenApp, 'data' | 'app'>,
  { staged, behaviour, digest, scorecard, report }: Candidate,
  { origin, examples, prepared }: Birth,
): Promise<Registered> {
  return write(workspace, { ...data, prepared }, async transaction => {
    const same = await findByDigest(app, digest)
    if (same) {
      await verifyVersion(app, same)
      return { version: same.number, digest, changed: false, commit: null }
    }
    const number = await nextNumber(transaction, app)
    const { files, folders } = await completeVersion(app, staged, {
      schema_version: 1,
      loop_app_id: app.id,
      version: number,
      parent: (await findActive(app)) ?? null,
      digest,
      files: staged.files,
      ...behaviour,
      created_at: workspace.now().toISOString(),
      created_by: personOf(transaction.identity.author),
      origin: { ...origin, loopai: LOOPAI_VERSION },
      evaluation: { ...evaluationOf(scorecard), ...(report && { report }) },
    })
    const rows = examples && {
      path: `loop-apps/${app.id}/${examples.path}`,
      mode: '100644' as const,
      content: examples.content,
    }
    const commit = await transaction.commit({
      subject: `${app.id}: add v${number}`,
      trailers: {
        'Loopai-App': app.id,
        'Loopai-Op': origin.kind,
        'Loopai-Version': `v${number}`,
        'Loopai-Digest': digest,
      },
      files: rows ? [...files, rows] : files,
      folders,
      tag: `${app.id}/v${number}`,
    })
    return { version: number, digest, changed: true, commit }
  })
}

function sourcesOf({ files }: DraftFiles): Record<string, string> {
  const python = files.filter(file => file.path.endsWith('.py'))
  return Object.fromEntries(python.map(({ path, content }) => [path, Buffer.from(content).toString()]))
}

function behaviourOf(config: Config, { runtime, entry, packages }: DraftFiles): Behaviour {
  const { input_schema, output_schema, limits, isolation } = config
  const dependencies = packages ? [packagesDependency(packages.from)] : []
  return { runtime, entry, input_schema, output_schema, limits, isolation, dependencies }
}

/**
 * A learned program is judged by the answers of models that had not seen the row, also when somebody has changed it since; a written one on the
 * held-out rows.
 */
function judge(
  { outOfFold }: DraftFiles,
  digest: string,
  yardstick: Yardstick,
  { check, inherited }: Pick<Candidate, 'check' | 'inherited'>,
): Scorecard {
  const { cases, examples } = yardstick
  const version = { number: 0, digest }
  const hasRun = check.cases.length === cases.length && check.examples.length === examples.length
  if (!hasRun) return scorecardOf(version, 'held_out', new Map(), { cases: [], outcomes: [] })
  const judged = { cases, outcomes: check.cases }
  if (outOfFold) return scorecardOf(version, 'out_of_fold', outOfFoldVerdicts(examples, outOfFold), judged)
  if (inherited) return scorecardOf(version, 'out_of_fold', inherited.verdicts, judged)
  const heldOut = [...examples.keys()].filter(i => isHeldOut(examples[i]!))
  const verdicts = verdictsOf(
    heldOut.map(i => examples[i]!),
    heldOut.map(i => check.examples[i]!),
  )
  return scorecardOf(version, 'held_out', verdicts, judged)
}

/** From the same answers as the scorecard. */
function reportOn(
  { outOfFold, report: learned }: DraftFiles,
  { examples }: Yardstick,
  { check, staged, inherited }: Pick<Candidate, 'check' | 'staged' | 'inherited'>,
): Report {
  const unseen = examples.map((example, i): Answered | undefined => {
    const expected = example.output
    if (outOfFold) return { expected, got: outOfFold[i]!.output, confidence: outOfFold[i]!.confidence }
    const outcome = check.examples[i]
    if (!outcome || !isHeldOut(example) || inherited) return undefined
    return outcome.status === 'success'
      ? { expected, got: outcome.output, confidence: outcome.confidence }
      : { expected }
  })
  return {
    ...qualityOf(
      unseen.filter(answer => answer !== undefined),
      areAmounts(examples.map(example => example.output)),
    ),
    duplicates: countDuplicates(examples),
    contradictions: findContradictions(examples).length,
    latency_ms: check.latency,
    bytes: staged.files.reduce((sum, file) => sum + file.size, 0),
    ...(learned && { learned }),
  }
}

function outOfFoldVerdicts(
  examples: Example[],
  outOfFold: NonNullable<Draft['outOfFold']>,
): Map<string, boolean> {
  return new Map(
    examples.map((example, i) => [
      exampleKey(example),
      isDeepStrictEqual(outOfFold[i]!.output, example.output),
    ]),
  )
}
