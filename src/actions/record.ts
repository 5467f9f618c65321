import type { Config } from '../domain/config.ts'
import { type Execution, type Outcome, redact, type Source } from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Version } from '../domain/version.ts'
import type { LoopApp } from '../store/apps.ts'
import { appendExecutions, syncExecutions } from '../store/datasets.ts'

/** Keeps executions. Failing to record never fails an execution, and is never silent. */
export interface Recorder {
  /** Says whether they are recorded, or will be. */
  record(executions: Execution[]): boolean
}

/** Writes before it returns: for a command, which ends soon. */
export function recordAtOnce(app: LoopApp, fsync: Fsync, report: (sentence: string) => void): Recorder {
  const isSyncDue = createSyncClock(() => fsync)
  return {
    record(executions) {
      try {
        appendExecutions(app, executions, isSyncDue())
        return true
      } catch (problem) {
        report(notRecorded(problem))
        return false
      }
    },
  }
}

export interface BatchRecorder extends Recorder {
  flush(): void
  /** Executions that could not be written, and why the last one could not. */
  failures(): { count: number; reason: string | undefined }
}

type Fsync = Config['datasets']['fsync']
const INTERVAL_MS = 1000

/** Whether a write has to reach the disk: always, never, or once a second. */
function createSyncClock(policy: () => Fsync): () => boolean {
  let last = performance.now()
  return () => {
    const fsync = policy()
    if (fsync !== 'interval') return fsync === 'always'
    const now = performance.now()
    if (now - last < INTERVAL_MS) return false
    last = now
    return true
  }
}

const WAIT_MS = 5
const MAX_WAITING = 10_000

/** Writes what has come together within a few milliseconds with one append: for a server. Whoever makes it flushes it at the end. */
export function recordInBatches(
  app: LoopApp,
  report: (sentence: string) => void,
  fsync: () => Fsync = () => 'interval',
): BatchRecorder {
  const isSyncDue = createSyncClock(fsync)
  let waiting: Execution[] = []
  let timer: NodeJS.Timeout | undefined
  let lost = 0
  let reason: string | undefined

  function flush() {
    clearTimeout(timer)
    timer = undefined
    if (waiting.length === 0) return
    const executions = waiting
    waiting = []
    try {
      appendExecutions(app, executions, fsync() === 'always')
      if (fsync() === 'interval' && isSyncDue()) {
        syncExecutions(app, executions.at(-1)!.timestamp.slice(0, 10)).catch(problem =>
          report(notRecorded(problem)),
        )
      }
      reason = undefined
    } catch (problem) {
      lost += executions.length
      const sentence = notRecorded(problem)
      // Once per reason: a full disk is full for every batch.
      if (sentence !== reason) report(`${app.id}: ${sentence}`)
      reason = sentence
    }
  }

  return {
    record(executions) {
      for (const execution of executions) waiting.push(execution)
      if (waiting.length >= MAX_WAITING) flush()
      else timer ??= setTimeout(flush, WAIT_MS)
      return reason === undefined
    },
    flush,
    failures: () => ({ count: lost, reason }),
  }
}

function notRecorded(problem: unknown): string {
  return `not recorded: ${problem instanceof Error ? problem.message : problem}`
}

export interface Sample {
  isIn: boolean
  probability: number
}

/** An execution that has an outcome, as it is before privacy decides what of it is kept. */
export interface Finished {
  id: string
  timestamp: string
  input: Json
  outcome: Outcome
  sample: Sample
  client?: string | undefined
}

interface Circumstances {
  app: LoopApp
  version: Version
  source: Source
  sandbox: string
  privacy: Config['privacy']
}

/** What is kept: nothing of an input that does not fit, and of others what the privacy settings allow. What is undefined is not written. */
export function recordOf(
  { id, timestamp, input, outcome, sample, client }: Finished,
  { app, version, source, sandbox, privacy }: Circumstances,
): Execution {
  const answer = outcome.status === 'success' ? outcome : undefined
  const error = outcome.status === 'success' ? undefined : outcome.error
  const isFull = privacy.record === 'full'
  // Written out rather than spread: this is done for every one of millions.
  return {
    execution_id: id,
    timestamp,
    loop_app_id: app.id,
    version: version.number,
    digest: version.manifest.digest,
    input: isFull && error?.kind !== 'invalid_input' ? redact(input, privacy.redact) : undefined,
    output: isFull ? answer?.output : undefined,
    confidence: answer?.confidence,
    reason: isFull ? answer?.reason : undefined,
    status: outcome.status,
    error: error && { kind: error.kind, message: isFull ? error.message : '' },
    latency_ms: outcome.latency_ms,
    sampled_for_validation: sample.isIn,
    sampling_probability: sample.probability,
    source,
    sandbox,
    client,
  }
}
