import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { type Change, type Commit, entriesOf, planChange, stageFiles, type Writer } from './change.ts'
import { type Circumstances, findObject } from './claims.ts'
import { type BuiltCommit, buildCommit } from './commit.ts'
import { findHead, type Repository, readStatus } from './git.ts'
import {
  indexBusy,
  makeIndexLock,
  prepareIndex,
  publishIndex,
  releaseIndexLock,
  reversed,
  stateOfIndex,
  takeIndexLock,
} from './git-index.ts'
import { gitIn, quoted } from './git-words.ts'
import { runHooks } from './hooks.ts'
import { isTrue } from './identity.ts'
import { type Journal, type PendingWrite, writeJournal } from './journal.ts'
import { claim, discard, place, unclaim } from './placing.ts'
import { addStale, findKept, leftInPlace } from './recovery.ts'
import { isLostRace, isTagTaken, moveHead, referencesBusy } from './references.ts'
import { step } from './steps.ts'

/** What lasts from one commit of a transaction to the next. */
export interface Session extends Writer {
  /** HEAD when the change began, or after its last commit: what the contents were computed from. */
  head: string | undefined
  journal: Journal
}

/** `mode id` of each watched path, `null` where there is none. */
type Objects = (string | null)[]

interface Landing {
  isLocked: boolean
  /** The user's index has our entries already. */
  isPublished: boolean
  hasLanded: boolean
}

const WAIT_MS = { content: 10_000, flip: 2_000 }
const RACE_MS = 10_000

/** Lands a commit. When somebody else's was faster it is built again on theirs, unless that one changed our paths. */
export async function landCommit(session: Session, commit: Commit): Promise<string> {
  const change = await planChange(session, commit)
  const deadline = Date.now() + RACE_MS
  try {
    for (let expected: Objects | undefined; ; ) {
      const { id, before, lost } = await tryToLand(session, change, expected)
      if (id) return id
      if (Date.now() > deadline) throw referencesBusy(lost)
      expected = before
      await sleep(Math.random() * 20)
    }
  } finally {
    if (!session.journal.write) await discard(session.repository.workTree, change.plan).catch(() => {})
  }
}

/** Only puts the files in place. */
export async function writeFiles(session: Session, commit: Commit): Promise<null> {
  const { repository, journal } = session
  const { workTree } = repository
  const change = await planChange(session, commit)
  const { subject, plan, staged, watched } = change
  const before = await Promise.all(watched.map(name => findObject(repository, name)))
  const changes = entriesOf(change, before)
  const write = { subject, commit: null, changes, plan, indexLock: null }
  try {
    await stageFiles(workTree, staged)
    await writeJournal(repository, { ...journal, write })
    step('journal written')
    await claim(workTree, plan)
    await place(workTree, plan)
  } catch (error) {
    const kept = await releaseClaims(repository, write)
    await discard(workTree, plan).catch(() => {})
    throw withKept(error, kept)
  } finally {
    await writeJournal(repository, journal)
  }
  return null
}

/**
 * One attempt. Without an id it lost a race and left nothing behind; `before` is what the watched paths were then. Git's index lock is
 * held around the landing only, but after a lost race from the start, since that keeps others from committing.
 */
async function tryToLand(
  session: Session,
  change: Change,
  expected: Objects | undefined,
): Promise<{ id?: string; before: Objects; lost?: unknown }> {
  const { repository } = session
  const { workTree } = repository
  const { subject, plan } = change
  const write: PendingWrite = { subject, plan, changes: [], indexLock: await makeIndexLock(repository) }
  const landing: Landing = { isLocked: false, isPublished: false, hasLanded: false }
  let before = expected
  try {
    if (expected) await lockIndex(session, change, write, landing)
    const built = await build(session, change, expected)
    before = built.before
    if (!built.isCurrent) {
      await giveUp(session, write, landing)
      return { before }
    }
    Object.assign(write, { commit: built.id, changes: entriesOf(change, before) })
    await writeJournal(repository, { ...session.journal, write })
    step('journal written')
    if (change.hooks.length > 0) await passHooks(session, change, write)
    if (!expected) await lockIndex(session, change, write, landing)
    const isIndexed = landing.isLocked
    if (isIndexed && (await stateOfIndex(repository)) !== built.index)
      await prepareIndex(repository, write.changes)
    await claim(workTree, plan)
    // Before HEAD moves: `git commit` reads HEAD, then the index, and only then takes the lock. With HEAD of after and the index of before
    // it would commit the removal of what we add.
    if (isIndexed) await publishIndex(repository)
    landing.isPublished = isIndexed
    step('index published')
    await moveTo(session, change, write.commit!)
    landing.hasLanded = true
    step('landed')
    await place(workTree, plan)
    await releaseOurs(repository, landing)
    step('index released')
    await settle(session, write, isIndexed)
  } catch (error) {
    const isOfHook = error instanceof LoopaiError && error.code === 'HOOK_REFUSED'
    const kept = await giveUp(session, write, landing, isOfHook)
    if (landing.hasLanded) throw unfinished(error, change)
    if (before && isLostRace(error)) return { before, lost: error }
    throw withKept(error, kept)
  }
  session.head = write.commit!
  return { id: write.commit!, before }
}

/** Takes git's lock, which a flip can do without. */
async function lockIndex(
  session: Session,
  change: Change,
  write: PendingWrite,
  landing: Landing,
): Promise<void> {
  const { repository } = session
  if (!write.commit) {
    await writeJournal(repository, { ...session.journal, write })
    step('first journal written')
  }
  landing.isLocked = await takeIndexLock(repository, WAIT_MS[change.kind])
  if (!landing.isLocked && change.kind === 'content') throw indexBusy(repository)
  step('index locked')
  if (!write.commit) session.head = await findHead(repository)
}

interface Built {
  id: string
  before: Objects
  /** State of the index that ours is a copy of. */
  index: string
  /** False when HEAD has moved since. */
  isCurrent: boolean
}

/** Everything that can be made without touching what others see. */
async function build(session: Session, change: Change, expected: Objects | undefined): Promise<Built> {
  const { repository } = session
  const [{ id, before }, status, index] = await all([
    buildChange(session, change),
    readStatus(repository, change.watched),
    prepareIndex(repository, entriesOf(change, [])),
    stageFiles(repository.workTree, change.staged),
  ])
  refuseMoved(session, change, expected ?? before, before)
  const isCurrent = status.head === session.head
  if (isCurrent) refuseDirt(session, status.changed)
  step('commit built')
  return { id, before, index, isCurrent }
}

function buildChange(session: Session, { message, files, removed, watched }: Change): Promise<BuiltCommit> {
  const { repository, user, head } = session
  const sign = isTrue(user.setting('commit.gpgsign'))
  return buildCommit(repository, {
    identity: user.identity,
    message,
    files,
    removed,
    watched,
    parent: head,
    sign,
  })
}

/** Somebody committed a change of the very paths: what we computed came from older contents. */
function refuseMoved({ repository }: Session, change: Change, expected: Objects, before: Objects): void {
  const claimed = change.plan.flatMap(one => ('claim' in one ? one.claim : []))
  const moved = change.watched.find((_, i) => expected[i] !== before[i])
  const hidden = change.watched.find((name, i) => before[i] !== null && claimed.includes(name))
  if (moved === undefined && hidden === undefined) return
  const what = moved ? `${moved} was changed by another commit` : `${hidden} is in git, though not on disk`
  throw new LoopaiError('CONFLICT', what, {
    hint: moved
      ? 'repeat the command'
      : `bring it back with: ${gitIn(repository.workTree)} restore ${quoted(hidden!)}   or commit its removal`,
  })
}

/** A commit would carry, or silently lose, what the user did to our paths. */
function refuseDirt({ repository, journal }: Session, changed: string[]): void {
  const stale = new Set(journal.stale.map(change => change.path))
  const dirty = changed.filter(name => !stale.has(name))
  if (dirty.length === 0) return
  throw new LoopaiError('CONFLICT', `${dirty.slice(0, 3).join(', ')} has changes that are not committed`, {
    hint: `commit them, or drop them with: ${gitIn(repository.workTree)} restore --staged --worktree ${quoted(dirty[0]!)}`,
    details: { changed: dirty },
  })
}

/** Runs the hooks once, with the new files visible as they would be to `git commit`. They may leave another message. */
async function passHooks(session: Session, change: Change, write: PendingWrite): Promise<void> {
  const { repository } = session
  await claim(repository.workTree, change.plan)
  const message = await runHooks(repository, change.hooks, { commit: write.commit!, ...change })
  change.hooks = []
  if (message === change.message) return
  change.message = message
  write.commit = (await buildChange(session, change)).id
  await writeJournal(repository, { ...session.journal, write })
}

/** An error after which HEAD is ours all the same is none. */
async function moveTo({ repository, head }: Session, change: Change, id: string): Promise<void> {
  try {
    await moveHead(repository, { from: head, to: id, subject: change.subject, tag: change.tag })
  } catch (error) {
    if ((await findHead(repository)) === id) return
    throw isTagTaken(error) ? tagTaken(repository, change.tag!) : error
  }
}

/**
 * Leaves the old state, or, when HEAD has moved, a journal by which the next command goes on. What cannot be taken back now stays in the
 * journal as well.
 */
async function giveUp(
  session: Session,
  write: PendingWrite,
  landing: Landing,
  afterHooks = false,
): Promise<string[]> {
  const { repository } = session
  let kept: string[] = []
  if (landing.hasLanded) session.journal = { ...session.journal, write }
  try {
    try {
      const circumstances = { afterHooks, isPublished: landing.isPublished }
      if (!landing.hasLanded) kept = await releaseClaims(repository, write, circumstances)
      if (!landing.hasLanded && landing.isPublished) {
        await prepareIndex(repository, write.changes.map(reversed))
        await publishIndex(repository)
      }
    } finally {
      await releaseOurs(repository, landing)
    }
    if (!landing.hasLanded) await writeJournal(repository, session.journal)
  } catch {}
  return kept
}

/** Gives the claimed names back, unless the user has done anything to them meanwhile. Returns those that stay. */
async function releaseClaims(
  repository: Repository,
  write: PendingWrite,
  circumstances?: Circumstances,
): Promise<string[]> {
  const kept = await findKept(repository, write, circumstances)
  if (kept.length === 0) await unclaim(repository.workTree, write.plan)
  return kept
}

function withKept(error: unknown, kept: string[]): unknown {
  if (kept.length === 0 || !(error instanceof LoopaiError)) return error
  const { code, message, hint, details } = error
  const options = { details, cause: error, ...(hint !== undefined && { hint }) }
  return new LoopaiError(code, message + leftInPlace(kept), options)
}

async function releaseOurs(repository: Repository, landing: Landing): Promise<void> {
  if (landing.isLocked) await releaseIndexLock(repository)
  landing.isLocked = false
}

/** The write is over. What the index lacks, and the numbers that a crash burned, stay in the journal. */
async function settle(session: Session, { changes, plan }: PendingWrite, isIndexed: boolean): Promise<void> {
  const { stale, burned } = session.journal
  const claimed = plan.flatMap(one => ('claim' in one ? path.dirname(one.claim) : []))
  session.journal = {
    stale: isIndexed
      ? stale.filter(old => !changes.some(change => change.path === old.path))
      : addStale(stale, changes),
    burned: burned.filter(name => !claimed.includes(path.dirname(name))),
  }
  // When this fails, the journal still holds the whole write, and the next command comes to the same end.
  await writeJournal(session.repository, session.journal).catch(() => {})
  step('journal removed')
}

function tagTaken({ workTree }: Repository, tag: string): LoopaiError {
  return new LoopaiError('CONFLICT', `there is a tag ${tag} already`, {
    hint: `if it is not needed, remove it with: ${gitIn(workTree)} tag -d ${tag}`,
  })
}

function unfinished(cause: unknown, change: Change): LoopaiError {
  const code = cause instanceof LoopaiError ? cause.code : 'NOT_WRITABLE'
  const message = `${change.subject} is committed, but not all files are in place: ${(cause as Error).message}`
  return new LoopaiError(code, message, {
    hint: 'mend the cause; the next loopai command that writes puts the rest in place',
    cause,
  })
}

/** Waits for all of them, also when one fails: none may go on behind our back. */
async function all<Values extends unknown[]>(
  promises: {
    [Key in keyof Values]: Promise<Values[Key]>
  },
): Promise<Values> {
  await Promise.allSettled(promises)
  return Promise.all(promises) as Promise<Values>
}
