import { LoopaiError } from '../domain/errors.ts'
import type { Version } from '../domain/version.ts'
import type { LoopApp } from '../store/apps.ts'
import { observeFiles } from '../store/verified.ts'
import { isChanging, peekVersion, readVersion } from '../store/versions.ts'
import type { Executor } from './executor.ts'
import { createGatherer, type Gatherer } from './gather.ts'

/** A version whose program runs. */
export interface Running {
  version: Version
  executor: Executor
  gatherer: Gatherer
  /** Requests that it is answering. While there are any it is not closed. */
  users: number
  lastUse: number
  /** Its files were replaced by others, as a merge does that gives its number to another program. */
  isDisplaced: boolean
}

/** The versions of one app whose programs run. Whoever makes them closes them. */
export interface RunningVersions {
  find(number: number): Running | undefined
  /** Starts it, unless it runs already. Rejects when it is not there or not what its digest says. */
  start(number: number): Promise<Running>
  /** Closes what nobody has used for a while, except `kept`, and notices what was replaced. */
  sweep(kept: Running | undefined): void
  close(): Promise<void>
}

/** So long a version stays ready after its last request: a rollback finds it running. */
const LINGER_MS = 10_000
/** So many stay ready beside the one that is kept; more only while they answer. */
const MAX_READY = 4
/** So often a version is opened that changes meanwhile. */
const MAX_ATTEMPTS = 5

export function createRunningVersions(
  app: LoopApp,
  open: (version: Version) => Promise<Executor>,
  lanes: number,
): RunningVersions {
  const byNumber = new Map<number, Running>()
  const starting = new Map<number, Promise<Running>>()
  const all = new Set<Running>()
  const fingerprints = new WeakMap<Running, string | undefined>()

  async function startNow(number: number): Promise<Running> {
    const fingerprint = peekVersion(app, number)
    const { version, executor } = await openUnchanged(number)
    const gatherer = createGatherer(executor, lanes)
    const running = { version, executor, gatherer, users: 0, lastUse: performance.now(), isDisplaced: false }
    fingerprints.set(running, fingerprint)
    byNumber.set(number, running)
    all.add(running)
    return running
  }

  /** A program whose files were replaced between their verification and its loading is not used. */
  async function openUnchanged(number: number): Promise<{ version: Version; executor: Executor }> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const version = await readVersion(app, number)
      const areChanged = observeFiles(version)
      const executor = await open(version).catch(problem => {
        if (!isChanging(problem)) throw problem
      })
      if (executor && !areChanged()) return { version, executor }
      await executor?.close()
    }
    throw new LoopaiError('INTEGRITY', `the files of v${number} of ${app.id} keep changing while it starts`, {
      hint: 'let whatever changes them come to its end',
    })
  }

  function closeIdle(running: Running) {
    all.delete(running)
    if (byNumber.get(running.version.number) === running) byNumber.delete(running.version.number)
    return running.executor.close()
  }

  function noticeReplaced(running: Running) {
    const now = peekVersion(app, running.version.number)
    // Gone is not replaced: a pull takes files away before it brings them back.
    if (now === undefined || now === fingerprints.get(running)) return
    running.isDisplaced = true
    if (byNumber.get(running.version.number) === running) byNumber.delete(running.version.number)
  }

  return {
    find: number => byNumber.get(number),
    start(number) {
      const known = byNumber.get(number)
      if (known) return Promise.resolve(known)
      const opening = starting.get(number) ?? startNow(number).finally(() => starting.delete(number))
      starting.set(number, opening)
      return opening
    },
    sweep(kept) {
      for (const running of all) if (!running.isDisplaced) noticeReplaced(running)
      const before = performance.now() - LINGER_MS
      const idle = [...all].filter(running => running !== kept && running.users === 0)
      idle.sort((a, b) => b.lastUse - a.lastUse)
      idle.forEach((running, place) => {
        if (running.isDisplaced || running.lastUse < before || place >= MAX_READY) void closeIdle(running)
      })
    },
    async close() {
      await Promise.allSettled(starting.values())
      await Promise.all([...all].map(closeIdle))
    },
  }
}
