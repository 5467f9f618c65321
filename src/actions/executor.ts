import { v7 as uuid } from 'uuid'
import type { Config } from '../domain/config.ts'
import {
  type Execution,
  type ExecutionError,
  isSampled,
  type Outcome,
  redact,
  type Source,
} from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Version } from '../domain/version.ts'
import type { SandboxName } from '../sandboxes/sandbox.ts'
import { type LoopApp, readConfig } from '../store/apps.ts'
import { appendExecutions } from '../store/datasets.ts'
import { resolveVersion, verifyVersion } from '../store/versions.ts'
import { openApp } from './open-app.ts'
import { openProgram, type Program, type ProgramOptions, placeOf } from './open-program.ts'
import type { Workspace } from './workspace.ts'

/** What the caller of an execution is told. */
export interface ExecutionReply {
  output?: Json
  confidence?: number
  reason?: string
  error?: ExecutionError
  execution_id: string
  loop_app_id: string
  version: number
  digest: string
  status: Outcome['status']
  latency_ms: number
  recorded: boolean
  sampled_for_validation: boolean
}

export interface ExecutorOptions extends Omit<ProgramOptions, 'gate'> {
  source: Source
  /** Set to false, nothing is recorded. */
  record?: boolean
}

/** One version of one app, ready to answer. Whoever opens it closes it. */
export interface Executor {
  app: LoopApp
  version: Version
  sandbox: SandboxName
  execute(input: unknown): Promise<ExecutionReply>
  /** Answers all inputs, in their order, and records them with one write. */
  executeMany(inputs: unknown[]): Promise<ExecutionReply[]>
  close(): Promise<void>
}

/** Opens the version that an address means. The link is read once; its files are verified before the program is loaded. */
export async function openExecutor(
  workspace: Workspace,
  address: string,
  { source, record = true, ...options }: ExecutorOptions,
): Promise<Executor> {
  const { data, app, address: parsed } = await openApp(workspace, address)
  const version = await resolveVersion(app, parsed.version ?? { by: 'name', name: 'active' })
  const gate = verifyVersion(app, version)
  const opening = openProgram(placeOf(app, version), version.manifest, { ...options, gate })
  // Awaited below; that it may fail earlier is no surprise.
  opening.catch(() => {})
  try {
    const config = await readConfig(data, app)
    const program = await opening
    const running = { workspace, config, app, version, program, source, record }
    return {
      app,
      version,
      sandbox: program.sandbox,
      execute: async input => (await run(running, [input]))[0]!,
      executeMany: inputs => run(running, inputs),
      close: () => program.close(),
    }
  } catch (problem) {
    await opening.then(program => program.close()).catch(() => {})
    throw problem
  }
}

interface Running {
  workspace: Workspace
  config: Config
  app: LoopApp
  version: Version
  program: Program
  source: Source
  record: boolean
}

interface Finished {
  id: string
  timestamp: string
  input: Json
  outcome: Outcome
}

async function run(running: Running, inputs: unknown[]): Promise<ExecutionReply[]> {
  const { workspace, program } = running
  const finished = await Promise.all(
    inputs.map(async (input): Promise<Finished> => {
      const id = uuid()
      const timestamp = workspace.now().toISOString()
      return { id, timestamp, input: input as Json, outcome: await program.answer(input) }
    }),
  )
  const recorded = record(running, finished)
  return finished.map(one => replyOf(running, one, recorded))
}

/** Says whether it was recorded. Failing to record never fails an execution, and is never silent. */
function record(running: Running, finished: Finished[]): boolean {
  const { workspace, config, app } = running
  if (!running.record || config.privacy.record === 'off') return false
  try {
    appendExecutions(
      app,
      finished.map(one => recordOf(running, one)),
    )
    return true
  } catch (problem) {
    workspace.report(`not recorded: ${problem instanceof Error ? problem.message : problem}`)
    return false
  }
}

/** What is kept: nothing of an input that does not fit, and of others what the privacy settings allow. */
function recordOf(running: Running, { id, timestamp, input, outcome }: Finished): Execution {
  const { config, app, version, program } = running
  const { record, redact: hidden } = config.privacy
  const isSuccess = outcome.status === 'success'
  const isFull = record === 'full'
  return {
    execution_id: id,
    timestamp,
    loop_app_id: app.id,
    version: version.number,
    digest: version.manifest.digest,
    ...(isFull && !isInvalidInput(outcome) && { input: redact(input, hidden) }),
    ...(isSuccess && isFull && { output: outcome.output }),
    ...(isSuccess && outcome.confidence !== undefined && { confidence: outcome.confidence }),
    ...(isSuccess && isFull && outcome.reason !== undefined && { reason: outcome.reason }),
    status: outcome.status,
    ...(!isSuccess && { error: { kind: outcome.error.kind, message: isFull ? outcome.error.message : '' } }),
    latency_ms: outcome.latency_ms,
    sampled_for_validation: isSuccess && isSampled(id, config.sampling.rate),
    sampling_probability: config.sampling.rate,
    source: running.source,
    sandbox: program.sandbox,
  }
}

function isInvalidInput(outcome: Outcome): boolean {
  return outcome.status !== 'success' && outcome.error.kind === 'invalid_input'
}

function replyOf(running: Running, { id, outcome }: Finished, recorded: boolean): ExecutionReply {
  const { status, latency_ms, ...result } = outcome
  return {
    ...result,
    execution_id: id,
    loop_app_id: running.app.id,
    version: running.version.number,
    digest: running.version.manifest.digest,
    status,
    latency_ms,
    recorded,
    sampled_for_validation: recorded && status === 'success' && isSampled(id, running.config.sampling.rate),
  }
}
