import type { Config } from '../domain/config.ts'
import { type Outcome, redact, type Source } from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Version } from '../domain/version.ts'
import type { LoopApp } from '../store/apps.ts'
import { appendExecutions, syncExecutions } from '../store/datasets.ts'

/** Keeps executions. Failing to record never fails an execution, and is never silent. */
export interface Recorder {
  /** Executions that could not be written, and why the last one could not. */
  failures(): { count: number; reason: string | undefined }
  /** Takes whole lines of a UTC day (`2025-10-29`). Says whether they are recorded, or will be. */
  record(day: string, lines: string[]): boolean
}

/** Writes before it returns: for a command, which ends soon. */
export function recordAtOnce(app: LoopApp, fsync: Fsync, report: (sentence: string) => void): Recorder {
  const losses = countLosses(report)
  let syncedAt = performance.now()

  function isSyncDue(): boolean {
    if (fsync !== 'interval') return fsync === 'always'
    const now = performance.now()
    if (now - syncedAt < INTERVAL_MS) return false
    syncedAt = now
    return true
  }

  return {
    record(day, lines) {
      try {
        appendExecutions(app, day, lines, isSyncDue())
        return true
      } catch (problem) {
        losses.add(lines.length, problem)
        return false
      }
    },
    failures: losses.sum,
  }
}

export interface BatchRecorder extends Recorder {
  flush(): void
}

type Fsync = Config['datasets']['fsync']
/** What was written is on the disk within about this time, unless the policy says otherwise. */
const INTERVAL_MS = 1000

/** Counts what could not be written and says why, once per reason: a full disk is full for every batch. */
function countLosses(report: (sentence: string) => void) {
  let count = 0
  let reason: string | undefined
  return {
    add(lines: number, problem: unknown) {
      count += lines
      const sentence = notRecorded(problem)
      if (sentence !== reason) report(sentence)
      reason = sentence
    },
    /** Writing works again. What was lost stays counted. */
    over() {
      reason = undefined
    },
    sum: () => ({ count, reason }),
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
  let waiting = new Map<string, string[]>()
  let count = 0
  let timer: NodeJS.Timeout | undefined
  const unsynced = new Set<string>()
  const losses = countLosses(sentence => report(`${app.id}: ${sentence}`))

  function flush() {
    clearTimeout(timer)
    timer = undefined
    const days = waiting
    waiting = new Map()
    count = 0
    for (const [day, lines] of days) write(day, lines)
  }

  function write(day: string, lines: string[]) {
    try {
      appendExecutions(app, day, lines, fsync() === 'always')
      if (fsync() === 'interval') syncSoon(day)
      losses.over()
    } catch (problem) {
      losses.add(lines.length, problem)
    }
  }

  function syncSoon(day: string) {
    if (unsynced.size === 0) setTimeout(() => void sync(), INTERVAL_MS).unref()
    unsynced.add(day)
  }

  async function sync() {
    const days = [...unsynced]
    unsynced.clear()
    try {
      for (const day of days) await syncExecutions(app, day)
    } catch (problem) {
      report(`${app.id}: ${notRecorded(problem)}`)
    }
  }

  return {
    record(day, lines) {
      const before = waiting.get(day)
      if (before) before.push(...lines)
      else waiting.set(day, lines)
      count += lines.length
      if (count >= MAX_WAITING) flush()
      else timer ??= setTimeout(flush, WAIT_MS)
      return losses.sum().reason === undefined
    },
    flush,
    failures: losses.sum,
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

/**
 * Makes the lines of executions that began at the same time: an `Execution` each, of which nothing is kept of an input that does not fit,
 * and of others what the privacy settings allow. Put together from JSON texts rather than as objects: this is done for every one of
 * millions, and most of a line is the same for all of them.
 */
export function lineWriter(
  timestamp: string,
  { app, version, source, sandbox, privacy }: Circumstances,
): (finished: Finished) => string {
  const isFull = privacy.record === 'full'
  const { number, manifest } = version
  const start = rest({ timestamp, loop_app_id: app.id, version: number, digest: manifest.digest })
  const end = rest({ source, sandbox })
  // A caller in this process may hand over what JSON does not know, such as `undefined`: the program was given null.
  const inputText = (input: Json) => JSON.stringify(redact(input, privacy.redact)) ?? 'null'

  return ({ id, input, outcome, sample, client }) => {
    let line = `{"execution_id":"${id}"${start}`
    if (outcome.status === 'success') {
      const { output, confidence, reason } = outcome
      if (isFull) line += `,"input":${inputText(input)},"output":${JSON.stringify(output)}`
      if (confidence !== undefined) line += `,"confidence":${confidence}`
      if (isFull && reason !== undefined) line += `,"reason":${JSON.stringify(reason)}`
      line += ',"status":"success"'
    } else {
      const { kind, message } = outcome.error
      if (isFull && kind !== 'invalid_input') line += `,"input":${inputText(input)}`
      line += `,"status":"${outcome.status}","error":${JSON.stringify({ kind, message: isFull ? message : '' })}`
    }
    line += `,"latency_ms":${outcome.latency_ms},"sampled_for_validation":${sample.isIn}`
    line += `,"sampling_probability":${sample.probability}${end}`
    return client === undefined ? `${line}}\n` : `${line},"client":${JSON.stringify(client)}}\n`
  }
}

/** The members of an object as they follow others in JSON: `,"name":value,"other":value`. */
function rest(members: Record<string, Json>): string {
  return `,${JSON.stringify(members).slice(1, -1)}`
}
