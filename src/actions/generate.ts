import type { Config } from '../domain/config.ts'
import type { Brief, Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import { isHeldOut, storedVerdicts } from '../domain/evaluation.ts'
import { closest } from '../domain/problems.ts'
import type { Check } from '../domain/promotion.ts'
import type { Report } from '../domain/quality.ts'
import { type Columns, watchColumns } from '../domain/rows.ts'
import { type Comparison, compare, reportOf, type ScoreReport } from '../domain/scorecard.ts'
import { GENERATORS, type GeneratorName } from '../generators/index.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, readConfig } from '../store/apps.ts'
import { writeDraft } from '../store/drafts.ts'
import { checkExamples, exampleFileOf, type NewExampleFile, readExampleFile } from '../store/examples.ts'
import { compileSchema } from '../store/schemas.ts'
import { readVersion } from '../store/versions.ts'
import { type Candidate, refuseFailed, registerCandidate } from './candidate.ts'
import type { DraftCheck } from './check-draft.ts'
import { openApp, openAppToWrite } from './open-app.ts'
import { readYardstick, type Yardstick } from './score.ts'
import type { Workspace } from './workspace.ts'
import { type Written, writeProgram } from './write-program.ts'

export interface GenerateRequest {
  app: string
  /** Default: `generator.use` of config.yaml. */
  generator?: string | undefined
  strategy?: string | undefined
  seed?: number | undefined
  /** For the generator `llm`, instead of the configured one. */
  model?: string | undefined
  /** How many programs a writing generator begins; the best on the rows that it was not shown is taken. */
  candidates?: number | undefined
  /** Whether those are written around a learned program. Default: `generator.hybrid` of config.yaml. */
  hybrid?: boolean | undefined
  /** A file whose rows join the app's examples; `-` is standard input. */
  examples?: string | undefined
  columns?: Columns
  dryRun?: boolean | undefined
  unsandboxed?: boolean | undefined
  /** Asked before the draft becomes a version. */
  accept?: (proposal: Proposal) => Promise<boolean>
}

/** A draft that has passed its checks. */
export interface Proposal {
  loop_app_id: string
  generator: GeneratorName
  digest: string
  notes: string[]
  checks: Check[]
  score: ScoreReport
  report: Report | null
  /** With the active version, on the rows that both were judged on. */
  compared: (Comparison & { version: number }) | null
  latency_ms: DraftCheck['latency']
  files: { path: string; size: number }[]
  seconds: number
}

export interface Generated extends Partial<Proposal> {
  loop_app_id: string
  generator: GeneratorName
  notes: string[]
  changed: boolean
  /** Null when no version was made. */
  version: number | null
  commit: string | null
  /** Folder in which a person goes on, for the generator `template`. */
  draft: string | null
}

/** Has a program written, checks and judges it, and makes it a new version. */
export async function generate(workspace: Workspace, request: GenerateRequest): Promise<Generated> {
  const open = request.dryRun ? openApp : openAppToWrite
  const { data, app } = await open(workspace, request.app)
  const config = withModel(await readConfig(data, app), request.model)
  const name = generatorOf(request.generator ?? config.generator.use)
  const candidates = candidatesOf(name, request)
  const hybrid = isHybrid(name, request, config)
  const { columns, said } = watchColumns(request.columns)
  const rows = await readRows(app, config, { ...request, columns })
  for (const sentence of said()) workspace.report(sentence)
  if (name === 'learn' && rows.examples.length === 0) throw noExamples(app)

  const since = performance.now()
  const brief = { ...briefOf(config, name, rows, request), report: workspace.progress }
  if (name === 'template') return handToPerson(app, await draftOf(name, brief, workspace.signal), request)
  const written = await writeProgram(workspace, {
    data,
    app,
    config,
    generator: name,
    brief,
    yardstick: rows,
    candidates,
    isHybrid: hybrid,
    unsandboxed: request.unsandboxed,
  })
  const seconds = Math.round((performance.now() - since) / 100) / 10
  const { candidate, cost } = written
  const draft = { ...written.draft, notes: [...written.draft.notes, ...describeRounds(written)] }
  try {
    refuseFailed(app, candidate)
    workspace.signal.throwIfAborted()
    const { generator, madeOf } = written
    const proposal = await propose(app, generator, draft, candidate, seconds)
    const isAccepted = !request.dryRun && ((await request.accept?.(proposal)) ?? true)
    if (!isAccepted) return { ...proposal, changed: false, version: null, commit: null, draft: null }
    const registered = await registerCandidate(workspace, { data, app }, candidate, {
      examples: rows.added,
      origin: {
        kind: 'generate',
        generator,
        ...(madeOf && { made_of: madeOf }),
        ...(brief.strategy !== undefined && { strategy: brief.strategy }),
        seed: brief.seed,
        seconds,
        ...(cost && {
          model: cost.model,
          prompt_sha256: cost.prompt_sha256,
          cost_usd: cost.usd,
          tokens: { input: cost.input_tokens, output: cost.output_tokens },
        }),
        notes: draft.notes,
        told: {
          name: brief.app.name,
          task: brief.app.task,
          privacy: brief.privacy,
          metric: config.targets.metric,
        },
        examples: rows.files.map(file => ({ path: file.path, sha256: file.sha256, rows: file.rows.length })),
      },
    })
    return { ...proposal, ...registered, draft: null }
  } finally {
    await candidate.staged.remove()
  }
}

async function draftOf(name: GeneratorName, brief: Brief, signal: AbortSignal): Promise<Draft> {
  return (await GENERATORS[name]()).default.generate(brief, signal)
}

function isWriter(name: GeneratorName): boolean {
  return name === 'llm' || name === 'command'
}

function isHybrid(name: GeneratorName, { hybrid }: GenerateRequest, { generator }: Config): boolean {
  if (isWriter(name)) return hybrid ?? generator.hybrid ?? false
  if (!hybrid) return false
  throw new LoopaiError('USAGE', `the generator ${name} writes nothing around a learned program`, {
    hint: '--hybrid is for --generator llm and command',
  })
}

function candidatesOf(name: GeneratorName, { candidates = 1 }: GenerateRequest): number {
  if (candidates === 1 || isWriter(name)) return candidates
  throw new LoopaiError('USAGE', `the generator ${name} gives the same program every time`, {
    hint: 'several candidates are for --generator llm and command',
  })
}

function describeRounds({ drafts, remarks, cost, generator }: Written): string[] {
  if (drafts < 2 || !isWriter(generator)) return remarks
  const spent = cost && cost.usd > 0 ? `, for ${cost.usd.toFixed(4)} USD together` : ''
  return [`The best of ${drafts} drafts${spent}.`, ...remarks]
}

function generatorOf(name: string): GeneratorName {
  if (name in GENERATORS) return name as GeneratorName
  const names = Object.keys(GENERATORS)
  const like = closest(name, names)
  throw new LoopaiError('USAGE', `there is no generator ${name}`, {
    hint: `${like ? `did you mean ${like}? ` : ''}generators: ${names.join(', ')}`,
  })
}

function withModel(config: Config, model: string | undefined): Config {
  return model === undefined ? config : { ...config, generator: { ...config.generator, model } }
}

interface Rows extends Yardstick {
  /** The file that the request brings, unless the app has it already. */
  added: NewExampleFile | undefined
}

/** The app's labelled rows and those that the request brings. All of them fit the schemas, or it is refused with the lines that do not. */
async function readRows(app: LoopApp, config: Config, request: GenerateRequest): Promise<Rows> {
  const [yardstick, input, output, brought] = await Promise.all([
    readYardstick(app),
    compileSchema(config.input_schema, 'input_schema'),
    compileSchema(config.output_schema, 'output_schema'),
    request.examples === undefined
      ? undefined
      : readExampleFile(request.examples, {
          ...request.columns,
          schemas: { input: config.input_schema, output: config.output_schema },
        }),
  ])
  for (const file of yardstick.files) checkExamples(file.path, file.rows, input, output)
  if (!brought) return { ...yardstick, added: undefined }
  checkExamples(brought.path, brought.rows, input, output)
  const added = exampleFileOf(brought.path, brought.rows)
  if (yardstick.files.some(file => file.sha256 === added.sha256)) return { ...yardstick, added: undefined }
  const files = [...yardstick.files, added].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { ...yardstick, files, examples: files.flatMap(file => file.rows), added }
}

function noExamples({ id, paths }: LoopApp): LoopaiError {
  return new LoopaiError('NO_EXAMPLES', `${id} has no examples to learn from`, {
    hint: [
      'bring labelled rows, {"input": …, "output": …} a line, or CSV:',
      `  loopai generate ${id} --examples rows.jsonl`,
      `  (or put them into ${paths.examples}/)`,
      'or have a language model write the program from the task:',
      `  loopai generate ${id} --generator llm`,
      'or write the program by hand, from a skeleton:',
      `  loopai generate ${id} --generator template`,
    ].join('\n      '),
    details: { choices: ['examples', 'llm', 'template'] },
  })
}

/** Who writes a program is not shown the rows that will judge it; what is learned is judged by folds. */
function briefOf(config: Config, name: GeneratorName, { examples }: Rows, request: GenerateRequest): Brief {
  const { loop_app_id: id, task, input_schema, output_schema } = config
  const strategy = request.strategy ?? config.generator.strategy
  return {
    app: { id, name: config.name, task, input_schema, output_schema },
    examples: name === 'learn' ? examples : examples.filter(example => !isHeldOut(example)),
    seed: request.seed ?? 1,
    metric: config.targets.metric,
    privacy: config.privacy.record,
    external: config.privacy.external,
    settings: config.generator,
    ...(strategy !== undefined && { strategy }),
  }
}

async function handToPerson(app: LoopApp, draft: Draft, { dryRun }: GenerateRequest): Promise<Generated> {
  const changed = !dryRun && (await writeDraft(app, draft.files))
  return {
    loop_app_id: app.id,
    generator: 'template',
    notes: draft.notes,
    changed,
    version: null,
    commit: null,
    draft: app.paths.draft,
  }
}

async function propose(
  app: LoopApp,
  generator: GeneratorName,
  { notes }: Draft,
  { digest, check, scorecard, staged, report }: Candidate,
  seconds: number,
): Promise<Proposal> {
  const active = await findActive(app)
  const evaluation = active === undefined ? undefined : (await readVersion(app, active)).manifest.evaluation
  const compared =
    evaluation && active !== undefined
      ? { version: active, ...compare(scorecard.verdicts, storedVerdicts(evaluation)) }
      : null
  return {
    loop_app_id: app.id,
    generator,
    digest,
    notes,
    checks: check.checks,
    score: reportOf(scorecard),
    report: report ?? null,
    compared,
    latency_ms: check.latency,
    files: staged.files.map(({ path, size }) => ({ path, size })),
    seconds,
  }
}
