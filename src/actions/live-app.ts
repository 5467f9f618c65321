import type { VersionSelector } from '../domain/address.ts'
import type { Config } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Lifecycle } from '../domain/history.ts'
import { createRate } from '../domain/rate.ts'
import type { Version } from '../domain/version.ts'
import { peekActive } from '../store/active.ts'
import { type LoopApp, readConfig } from '../store/apps.ts'
import { fingerprint } from '../store/fingerprint.ts'
import { watchLifecycle } from '../store/history.ts'
import type { DataDirectory } from '../store/root.ts'
import { noActiveVersion, resolveVersion } from '../store/versions.ts'
import { type CallOptions, createExecutor, type ExecutionReply, openVersion } from './executor.ts'
import type { QueuedOptions } from './gather.ts'
import { recordInBatches } from './record.ts'
import { refuseResting } from './refuse-resting.ts'
import { createRunningVersions, type Running } from './running-versions.ts'
import type { Workspace } from './workspace.ts'

/**
 * An app that is served for a long time. Each request reads the active link once and is answered by that version to its end; another
 * version is verified and warm before its first request. While what the link names is missing or broken, the last good version answers.
 */
export interface LiveApp {
  app: LoopApp
  execute(input: unknown, options?: LiveOptions): Promise<ExecutionReply>
  /** One version for many calls. Whoever holds it releases it. */
  hold(selector?: VersionSelector): Promise<Held>
  /** Longest input that the serving version takes. */
  maxInputBytes(): number
  /** Sees whether another version is active by now, and starts it. Never rejects. */
  refresh(): Promise<void>
  /** What was answered is on disk when it returns. */
  flush(): void
  health(): AppHealth
  /** Waits for the requests that are being answered, for so long at most. */
  close(patienceMs?: number): Promise<void>
}

export interface LiveOptions extends QueuedOptions {
  /** Instead of the active version. */
  version?: VersionSelector | undefined
}

export interface Held extends Pick<Running, 'version'> {
  /** Where a single call is refused because there are too many, or because it has waited too long, this one waits for its turn. */
  execute(input: unknown, options?: CallOptions): Promise<ExecutionReply>
  release(): void
}

export interface AppHealth {
  loop_app_id: string
  /** `degraded`: it answers, but not as the link says, or without recording. `inactive`: nothing was promoted yet. */
  status: 'ok' | 'degraded' | 'unavailable' | 'inactive' | 'paused' | 'archived'
  /** What the link says. */
  active_version: number | null
  /** What answers. */
  serving_version: number | null
  digest: string | null
  /** Requests that the last good version has answered in place of a broken one. */
  fallbacks: number
  /** Executions that could not be recorded. */
  not_recorded: number
  pending: number
  problem?: string
}

export interface LiveAppOptions {
  unsandboxed?: boolean | undefined
  /** Processes of each version. */
  size: number
  /** Calls that may wait or run at the same time; one more is refused. */
  maxPending?: number | undefined
  /** A single call that has waited so long for a process is refused. */
  maxWaitMs?: number | undefined
  /** Calls a second, and as many at once; one more is refused. */
  maxRate?: number | undefined
}

/** A version that could not be started is left alone for so long. */
const RETRY_MS = 250
/** A request waits so long for a new version to come up before the last good one answers. */
const PATIENCE_MS = 1000
const SWEEP_MS = 500
const MAX_PENDING = 1024
const MAX_WAIT_MS = 10_000

export async function openLiveApp(
  workspace: Workspace,
  data: DataDirectory,
  app: LoopApp,
  options: LiveAppOptions,
): Promise<LiveApp> {
  const { maxPending = MAX_PENDING, maxWaitMs = MAX_WAIT_MS } = options
  let configSeen = fingerprint(app.paths.config)
  let config: Config = await readConfig(data, app)
  const lifecycle = watchLifecycle(app)
  const recorder = recordInBatches(app, workspace.report, () => config.datasets.fsync)
  const open = async (version: Version) => {
    const program = await openVersion(app, version, options)
    const settings = () => config
    return createExecutor({ app, version, program, source: 'http', recorder, now: workspace.now, settings })
  }
  const versions = createRunningVersions(app, open, options.size)
  let good: Running | undefined
  let broken: { number: number | undefined; problem: Error; until: number } | undefined
  /** A version that is starting, and until when requests wait for it. */
  let awaited: { number: number; until: number } | undefined
  let fallbacks = 0
  const rate = options.maxRate === undefined ? undefined : createRate(options.maxRate)
  let pending = 0
  const waitingForRoom: (() => void)[] = []
  // Calls of one turn had come before its first one looked: what that one saw is news to all of them.
  const seen = { state: oncePerTurn(lifecycle), number: oncePerTurn(peekOrBreak) }
  const afresh = { state: lifecycle, number: peekOrBreak }

  /** The running version that answers now, at once when nothing has changed. */
  function choose(selector: VersionSelector | undefined, look = seen): Running | Promise<Running> {
    refuseResting(app, look.state())
    if (selector && !(selector.by === 'name' && selector.name === 'active')) return startNamed(selector)
    const number = look.number()
    if (good && good.version.number === number && !good.isDisplaced) {
      broken = undefined
      awaited = undefined
      return good
    }
    if (broken && broken.number === number && performance.now() < broken.until)
      return fallBack(broken.problem)
    return number === undefined ? missing() : follow(number)
  }

  function peekOrBreak(): number | undefined {
    try {
      return peekActive(app)
    } catch (problem) {
      breakOff(undefined, problem as Error)
      return undefined
    }
  }

  async function startNamed(selector: VersionSelector): Promise<Running> {
    const number = selector.by === 'number' ? selector.number : (await resolveVersion(app, selector)).number
    return versions.start(number)
  }

  async function missing(): Promise<Running> {
    if (good)
      return fallBack(
        breakOff(undefined, new LoopaiError('INTEGRITY', `${app.id}: the active link is missing`)),
      )
    throw await noActiveVersion(app)
  }

  async function follow(number: number): Promise<Running> {
    const starting = versions.start(number)
    if (awaited?.number !== number) awaited = { number, until: performance.now() + PATIENCE_MS }
    try {
      const next = await (good ? within(awaited.until - performance.now(), starting) : starting)
      if (!next) {
        // Should it fail, nobody else is there to tell.
        starting.catch(problem => breakOff(number, problem))
        return fallBack(new Error(`v${number} is still starting`))
      }
      const { failure } = next.executor
      if (failure && good) {
        throw new LoopaiError(
          'PROGRAM_FAILED',
          `v${number} of ${app.id} cannot be loaded: ${failure.message}`,
        )
      }
      if (peekOrBreak() === number) {
        good = next
        broken = undefined
        awaited = undefined
      }
      return next
    } catch (problem) {
      return fallBack(breakOff(number, problem as Error))
    }
  }

  function breakOff(number: number | undefined, problem: Error): Error {
    if (broken?.problem.message !== problem.message) workspace.report(problem.message)
    broken = { number, problem, until: performance.now() + RETRY_MS }
    return problem
  }

  function fallBack(problem: Error): Running {
    if (!good) throw problem
    fallbacks++
    return good
  }

  async function reread() {
    const now = fingerprint(app.paths.config)
    if (now === configSeen) return
    configSeen = now
    // What was last readable stays in force.
    config = await readConfig(data, app).catch(() => config)
  }

  async function refresh() {
    try {
      // A timer's look comes before the calls of its turn, which may have been made after it.
      await choose(undefined, afresh)
    } catch (problem) {
      // Nobody waits for this one. A refusal is for those who ask; anything else is said once, and must not end the server.
      if (problem instanceof LoopaiError || problem === broken?.problem) return
      breakOff(undefined, problem as Error)
    }
  }

  const sweeper = setInterval(() => {
    void refresh()
    void reread()
    versions.sweep(good)
  }, SWEEP_MS).unref()

  async function take(selector: VersionSelector | undefined): Promise<Running> {
    const choice = choose(selector)
    const running = choice instanceof Promise ? await choice : choice
    running.users++
    return running
  }

  function release(running: Running) {
    running.users--
    running.lastUse = performance.now()
  }

  async function hold(selector?: VersionSelector): Promise<Held> {
    const running = await take(selector)
    return {
      version: running.version,
      async execute(input, call) {
        for (let waitMs = untilNext(); waitMs > 0; waitMs = untilNext())
          await new Promise(resolve => setTimeout(resolve, waitMs))
        while (pending >= maxPending) await new Promise<void>(resolve => waitingForRoom.push(resolve))
        return count(() => running.gatherer.execute(input, call))
      },
      release: () => release(running),
    }
  }

  /** Milliseconds until one more call is allowed: 0 when this one is. */
  function untilNext(): number {
    return rate?.take(performance.now()) ?? 0
  }

  async function count<Result>(work: () => Promise<Result>): Promise<Result> {
    if (pending >= maxPending) {
      throw new LoopaiError('QUEUE_FULL', `${pending} calls of ${app.id} are waiting already`, {
        hint: 'call again in a second',
      })
    }
    pending++
    try {
      return await work()
    } finally {
      pending--
      waitingForRoom.shift()?.()
    }
  }

  return {
    app,
    hold,
    refresh,
    flush: () => recorder.flush(),
    maxInputBytes: () => (good?.version.manifest.limits ?? config.limits).input_kb * 1024,
    execute(input, call = {}) {
      return count(async () => {
        if (untilNext() > 0) {
          throw new LoopaiError(
            'RATE_LIMITED',
            `${app.id} is asked more than ${options.maxRate} times a second`,
            {
              hint: 'call again in a second',
            },
          )
        }
        const running = await take(call.version)
        try {
          return await running.gatherer.execute(input, call, maxWaitMs)
        } finally {
          release(running)
        }
      })
    },
    health() {
      const { count, reason } = recorder.failures()
      const state = lifecycle()
      const problem = broken?.problem.message ?? reason
      return {
        loop_app_id: app.id,
        status: statusOf(state, good, problem),
        active_version: peekOrBreak() ?? null,
        serving_version: good?.version.number ?? null,
        digest: good?.version.manifest.digest ?? null,
        fallbacks,
        not_recorded: count,
        pending,
        ...(problem !== undefined && { problem }),
      }
    },
    async close(patienceMs = 0) {
      clearInterval(sweeper)
      for (const deadline = performance.now() + patienceMs; pending > 0 && performance.now() < deadline; ) {
        await new Promise(resolve => setTimeout(resolve, 10))
      }
      await versions.close()
      recorder.flush()
    },
  }
}

/** Reads at the first call in a turn of the event loop, and gives the others the same. */
function oncePerTurn<Value>(read: () => Value): () => Value {
  let seen: { value: Value } | undefined
  return () => {
    if (!seen) {
      seen = { value: read() }
      setImmediate(() => {
        seen = undefined
      })
    }
    return seen.value
  }
}

function statusOf(
  state: Lifecycle,
  good: Running | undefined,
  problem: string | undefined,
): AppHealth['status'] {
  if (state !== 'active') return state
  if (!good) return problem === undefined ? 'inactive' : 'unavailable'
  return problem === undefined ? 'ok' : 'degraded'
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  try {
    return await Promise.race([work, patience])
  } finally {
    clearTimeout(timer)
  }
}
