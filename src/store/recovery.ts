import { existsSync, lstatSync } from 'node:fs'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { type Circumstances, isEdited, isOnlyOurs } from './claims.ts'
import { git, type Repository } from './git.ts'
import {
  enterChanges,
  holdsIndexLock,
  type IndexChange,
  prepareIndex,
  publishIndex,
  releaseIndexLock,
  reversed,
} from './git-index.ts'
import { type Journal, type PendingWrite, writeJournal } from './journal.ts'
import { claim, discard, type Placement, place, unclaim } from './placing.ts'
import { settleReferences } from './references.ts'
import { step } from './steps.ts'

const MAX_ARGUMENTS = 1000

/** Finishes what a crashed process had begun when its commit has landed, else takes it back. Returns what there still is to do. */
export async function recover(
  repository: Repository,
  journal: Journal,
): Promise<{ journal: Journal; said?: string }> {
  const { write } = journal
  if (!write) return { journal: await enterStale(repository, journal) }
  const head = await settleReferences(repository, write.commit)
  const hasLanded = write.commit === null || (await isAncestor(repository, write.commit, head))
  const isLocked = write.indexLock !== null && (await holdsIndexLock(repository, write.indexLock))
  if (!hasLanded && isLocked) await withdrawEntries(repository, write.changes)
  const kept = hasLanded ? await findEdited(repository, write) : await findKept(repository, write)
  const rest = hasLanded
    ? await finish(repository, journal, write, { isLocked, kept })
    : await takeBack(repository, journal, write, kept)
  step('files settled')
  if (isLocked) await releaseIndexLock(repository)
  await writeJournal(repository, rest)
  step('recovered')
  const said = `${hasLanded ? 'finished' : 'took back'} what a crash had interrupted: ${write.subject}`
  return { journal: await enterStale(repository, rest), said: said + leftInPlace(kept) }
}

export function leftInPlace(kept: string[]): string {
  return kept.length > 0 ? `; left in place, since it was changed meanwhile: ${kept.join(', ')}` : ''
}

/** Puts the files in place, except where HEAD has something else by now. When the index lock is not ours (any more), the entries may be stale. */
async function finish(
  repository: Repository,
  journal: Journal,
  write: PendingWrite,
  { isLocked, kept }: { isLocked: boolean; kept: string[] },
): Promise<Journal> {
  if (write.commit === null) await claim(repository.workTree, write.plan)
  const due = await findDue(repository, write)
  await place(
    repository.workTree,
    due.filter(one => !kept.includes(nameOf(one))),
  )
  await discard(repository.workTree, write.plan)
  const rest = { ...journal, write: undefined }
  if (write.commit === null) return rest
  return isLocked ? rest : { ...rest, stale: addStale(journal.stale, write.changes) }
}

/** What is still to be placed: the user may have reset, reverted or pulled since the commit landed. */
async function findDue(
  repository: Repository,
  { commit, changes, plan }: PendingWrite,
): Promise<Placement[]> {
  if (commit === null) return plan
  const names = changes.map(change => change.path)
  const committed = await listCommitted(repository, names)
  const due = new Set(changes.filter(one => committed.get(one.path) === one.after).map(one => one.path))
  return plan.filter(one => due.has(nameOf(one)))
}

/** What was to be replaced or removed, and was changed by the user since. */
async function findEdited(repository: Repository, write: PendingWrite): Promise<string[]> {
  const { workTree } = repository
  const changes = new Map(write.changes.map(change => [change.path, change]))
  const due = (await findDue(repository, write)).filter(
    one => 'remove' in one || ('replace' in one && existsAt(path.join(workTree, one.from))),
  )
  const edited = await Promise.all(
    due.map(one => {
      const change = changes.get(nameOf(one))
      return change !== undefined && isEdited(repository, change)
    }),
  )
  return due.filter((_, i) => edited[i]).map(nameOf)
}

function nameOf(one: Placement): string {
  return 'replace' in one ? one.replace : 'remove' in one ? one.remove : one.claim
}

/** Also for a link that leads nowhere. */
function existsAt(place: string): boolean {
  return lstatSync(place, { throwIfNoEntry: false }) !== undefined
}

/** The claimed names, when the user has done anything to one of them: what belongs together stays together. */
export async function findKept(
  repository: Repository,
  write: PendingWrite,
  circumstances?: Circumstances,
): Promise<string[]> {
  const there = shownBy(repository, write).filter(name => existsSync(path.join(repository.workTree, name)))
  const ours = await Promise.all(
    there.map(name => isOnlyOurs(repository, name, write.changes, circumstances)),
  )
  return ours.every(Boolean) ? [] : there
}

/** Names that were visible: what was prepared for them has its temporary name no more. */
function shownBy({ workTree }: Repository, { plan }: PendingWrite): string[] {
  return plan.flatMap(one => ('claim' in one && !existsSync(path.join(workTree, one.from)) ? one.claim : []))
}

async function takeBack(
  repository: Repository,
  journal: Journal,
  write: PendingWrite,
  kept: string[],
): Promise<Journal> {
  const burned = [...new Set([...journal.burned, ...shownBy(repository, write)])]
  const ours = write.plan.filter(one => !('claim' in one && kept.includes(one.claim)))
  await writeJournal(repository, { ...journal, burned })
  await unclaim(repository.workTree, ours)
  await discard(repository.workTree, write.plan)
  const isKept = ({ path: name }: IndexChange) => kept.some(one => name === one || name.startsWith(`${one}/`))
  const withdrawn = write.changes.filter(change => !isKept(change)).map(reversed)
  return { stale: [...journal.stale, ...withdrawn], burned }
}

/** Takes our entries out of an index that was published before HEAD moved. Under the lock that is still ours, nobody has changed it since. */
async function withdrawEntries(repository: Repository, changes: IndexChange[]): Promise<void> {
  const names = changes.map(change => change.path)
  if (names.length === 0) return
  const staged = await listObjects(repository, ['ls-files', '--stage', '-z'], names)
  const due = changes.filter(change => staged.get(change.path) === change.after)
  if (due.length === 0) return
  await prepareIndex(repository, due.map(reversed))
  await publishIndex(repository)
}

/** Brings the index along where neither HEAD nor the user has changed their mind since. */
async function enterStale(repository: Repository, journal: Journal): Promise<Journal> {
  if (journal.stale.length === 0) return journal
  const names = journal.stale.map(change => change.path)
  const [committed, staged] = await Promise.all([
    listCommitted(repository, names),
    listObjects(repository, ['ls-files', '--stage', '-z'], names),
  ])
  const due = journal.stale.filter(
    change => committed.get(change.path) === change.after && staged.get(change.path) === change.before,
  )
  try {
    if (due.length > 0) await enterChanges(repository, due)
  } catch (error) {
    if (!(error instanceof LoopaiError) || error.code !== 'GIT_FAILED') throw error
    return { ...journal, stale: due }
  }
  const rest = { ...journal, stale: [] }
  await writeJournal(repository, rest)
  step('index brought along')
  return rest
}

function listCommitted(repository: Repository, names: string[]) {
  return listObjects(repository, ['ls-tree', '-r', '-z', '--full-tree', 'HEAD'], names)
}

/** Paths and `mode id` as `ls-tree` and `ls-files` name them, the latter with one word more. */
async function listObjects(repository: Repository, command: string[], names: string[]) {
  const found = new Map<string, string | null>(names.map(name => [name, null]))
  const paths = names.length > MAX_ARGUMENTS ? [] : ['--', ...names]
  const said = await git(repository.workTree, ['--literal-pathspecs', ...command, ...paths], {
    accept: [128],
  })
  for (const line of (said ?? '').split('\0').filter(Boolean)) {
    const [about, name] = [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]
    const words = about.split(' ')
    const id = words.find(word => word.length >= 40)
    if (found.has(name)) found.set(name, `${words[0]} ${id}`)
  }
  return found
}

/** Entries still to be made: a path that was due already keeps what the index has of it. */
export function addStale(stale: IndexChange[], more: IndexChange[]): IndexChange[] {
  const known = new Map(stale.map(change => [change.path, change]))
  for (const change of more) {
    known.set(change.path, { ...change, before: (known.get(change.path) ?? change).before })
  }
  return [...known.values()]
}

async function isAncestor(repository: Repository, commit: string | undefined, head: string | undefined) {
  if (!commit || !head) return false
  const args = ['merge-base', '--is-ancestor', commit, head]
  return (await git(repository.workTree, args, { accept: [1, 128] })) !== undefined
}
