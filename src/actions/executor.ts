import type { Config } from '../domain/config.ts'
import { createSampler, type ExecutionError, type Outcome, type Source } from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Failure } from '../domain/outcome.ts'
import type { Version } from '../domain/version.ts'
import type { SandboxName } from '../sandboxes/sandbox.ts'
import type { LoopApp } from '../store/apps.ts'
import { admitVersion } from '../store/versions.ts'
import { newIds } from './ids.ts'
import { openProgram, type Program, type ProgramOptions, placeOf } from './open-program.ts'
import { type Finished, lineWriter, type Recorder } from './record.ts'

/** What the caller of an execution is told. */
export interface ExecutionReply {
  output?: Json | undefined
  confidence?: number | undefined
  reason?: string | undefined
  error?: ExecutionError | undefined
  execution_id: string
  loop_app_id: string
  version: number
  digest: string
  status: Outcome['status']
  latency_ms: number
  recorded: boolean
  sampled_for_validation: boolean
}

/** What one call may say for itself. */
export interface CallOptions {
  /** Instead of the version's own limit. */
  timeoutMs?: number | undefined
  /** It joins the sample that is validated, whatever the dice say. */
  forceValidation?: boolean | undefined
  /** Who asks, kept in the record. */
  client?: string | undefined
}

/** A call with what it says for itself. */
export interface AskedCall {
  input: unknown
  options: CallOptions
}

/** One version of one app, ready to answer. Whoever opens it closes it. */
export interface Executor {
  app: LoopApp
  version: Version
  sandbox: SandboxName
  /** Why its program cannot be loaded, if it cannot. */
  failure: Failure | undefined
  execute(input: unknown, options?: CallOptions): Promise<ExecutionReply>
  /** Answers all inputs, in their order, and records them with one write. */
  executeMany(inputs: unknown[], options?: CallOptions): Promise<ExecutionReply[]>
  /**
   * The same for calls that say something of their own, except a time limit. Those that are not with a process after `patienceMs` are not
   * run, and have no reply.
   */
  executeFor(patienceMs: number, calls: AskedCall[]): Promise<(ExecutionReply | undefined)[]>
  /** How many executions could not be recorded so far. */
  unrecorded(): number
  close(): Promise<void>
}

/** Starts the program of a version, whose files are verified before it is loaded. */
export function openVersion(
  app: LoopApp,
  version: Version,
  options: Omit<ProgramOptions, 'gate'>,
): Promise<Program> {
  return openProgram(placeOf(app, version), version.manifest, {
    ...options,
    gate: () => admitVersion(app, version),
  })
}

export interface ExecutorParts {
  app: LoopApp
  version: Version
  program: Program
  source: Source
  /** Without one, nothing is recorded. */
  recorder: Recorder | undefined
  now: () => Date
  /** What config.yaml says now: sampling and privacy may change under a running program. */
  settings: () => Pick<Config, 'sampling' | 'privacy'>
}

/** Closes the program when it is closed. */
export function createExecutor(parts: ExecutorParts): Executor {
  const { app, version, program } = parts

  async function executeMany(inputs: unknown[], options: CallOptions = {}): Promise<ExecutionReply[]> {
    const calls = inputs.map(input => ({ input, options }))
    const { timeoutMs } = options
    const replies = await run(parts, calls, async () =>
      inputs.length === 1
        ? [await program.answer(inputs[0], { timeoutMs })]
        : program.answerMany(inputs, { timeoutMs }),
    )
    // All of them were run.
    return replies as ExecutionReply[]
  }

  return {
    app,
    version,
    sandbox: program.sandbox,
    failure: program.failure,
    execute: async (input, options) => (await executeMany([input], options))[0]!,
    executeMany,
    executeFor(patienceMs, calls) {
      const inputs = calls.map(call => call.input)
      return run(parts, calls, () => program.answerFor(patienceMs, inputs))
    },
    unrecorded: () => parts.recorder?.failures().count ?? 0,
    close: () => program.close(),
  }
}

async function run(
  parts: ExecutorParts,
  calls: AskedCall[],
  answer: () => Promise<(Outcome | undefined)[]>,
): Promise<(ExecutionReply | undefined)[]> {
  const { program, recorder } = parts
  const timestamp = parts.now().toISOString()
  const ids = newIds(calls.length)
  const outcomes = await answer()
  const { privacy, sampling } = parts.settings()
  const isChosen = createSampler(sampling.rate)
  const finished = calls.map(({ input, options }, i): Finished | undefined => {
    const id = ids[i]!
    const outcome = outcomes[i]
    if (!outcome) return undefined
    const probability = options.forceValidation ? 1 : sampling.rate
    const isIn = outcome.status === 'success' && (options.forceValidation === true || isChosen(id))
    return { id, input: input as Json, outcome, sample: { isIn, probability }, client: options.client }
  })
  const isRecorded =
    recorder !== undefined &&
    privacy.record !== 'off' &&
    recorder.record(
      timestamp.slice(0, 10),
      finished.filter(isFinished).map(lineWriter(timestamp, { ...parts, sandbox: program.sandbox, privacy })),
    )
  return finished.map(one => one && replyOf(parts, one, isRecorded))
}

function isFinished(one: Finished | undefined): one is Finished {
  return one !== undefined
}

function replyOf(
  { app, version }: ExecutorParts,
  { id, outcome, sample }: Finished,
  recorded: boolean,
): ExecutionReply {
  const answer = outcome.status === 'success' ? outcome : undefined
  return {
    output: answer?.output,
    confidence: answer?.confidence,
    reason: answer?.reason,
    error: outcome.status === 'success' ? undefined : outcome.error,
    execution_id: id,
    loop_app_id: app.id,
    version: version.number,
    digest: version.manifest.digest,
    status: outcome.status,
    latency_ms: outcome.latency_ms,
    recorded,
    sampled_for_validation: recorded && sample.isIn,
  }
}
