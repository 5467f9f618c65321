import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import type { CommittedFile } from './commit.ts'
import { git, type Repository, zeros } from './git.ts'
import { indexBusy } from './git-index.ts'
import { gitIn } from './git-words.ts'
import { environmentOf, type Identity } from './identity.ts'
import { step } from './steps.ts'

/** How long another git command is waited for that holds the index. */
const INDEX_MS = 10_000

/** A file of a commit; its path is that in the data directory. */
export interface TreeFile {
  path: string
  mode: string
  id: string
}

/** A change of a tree: another object, or content that has no object yet, or nothing. */
export type TreeEdit =
  | { path: string; mode: string; id: string }
  | CommittedFile
  | { path: string; gone: true }

export async function findMergeBase({ workTree }: Repository, ours: string, theirs: string): Promise<string> {
  const base = (await git(workTree, ['merge-base', ours, theirs], { accept: [1] }))?.trim()
  if (base) return base
  throw new LoopaiError('CONFLICT', 'this branch and the one it follows have no commit in common', {
    hint: `in a shallow clone get the rest first: ${gitIn(workTree)} fetch --unshallow`,
  })
}

/** Ids of the apps that differ between two commits. */
export async function changedApps(
  { workTree, prefix }: Repository,
  from: string,
  to: string,
): Promise<string[]> {
  const spec = `:(top,literal)${prefix}loop-apps`
  const said = (await git(workTree, [
    'diff-tree',
    '-r',
    '-z',
    '--name-only',
    '--no-renames',
    from,
    to,
    '--',
    spec,
  ]))!
  const names = said.split('\0').filter(Boolean)
  return [...new Set(names.map(name => name.slice(prefix.length).split('/')[1]!))]
}

export async function listFiles(
  { workTree, prefix }: Repository,
  commit: string,
  folder: string,
): Promise<TreeFile[]> {
  const said = (await git(workTree, [
    'ls-tree',
    '-r',
    '-z',
    '--full-tree',
    commit,
    '--',
    `${prefix}${folder}`,
  ]))!
  return said
    .split('\0')
    .filter(Boolean)
    .map(line => {
      const [about, name] = [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]
      const [mode, , id] = about.split(' ')
      return { path: name.slice(prefix.length), mode: mode!, id: id! }
    })
}

export async function readBlob({ workTree }: Repository, id: string): Promise<string> {
  return (await git(workTree, ['cat-file', 'blob', id]))!
}

export interface Merge {
  ours: string
  theirs: string
  identity: Identity
  sign: boolean
  message: string
  /** What is changed in ours before it is merged, so that git has nothing left to argue about. */
  before: TreeEdit[]
  /** What is changed in the result. */
  after: TreeEdit[]
}

/** Merges two commits without touching any file of the user. Returns the merge, which no reference holds yet. */
export async function mergeInMemory(repository: Repository, merge: Merge): Promise<string> {
  const { workTree } = repository
  const { ours, theirs, identity, message } = merge
  const env = environmentOf(identity)
  const prepared = await editTree(repository, ours, merge.before)
  const args = ['commit-tree', prepared, '-p', ours, '-m', 'prepared for a merge']
  const ready = (await git(workTree, args, { env }))!.trim()
  const tree = await mergeTrees(repository, ready, theirs)
  const edited = await editTree(repository, tree, merge.after)
  const parents = ['-p', ours, '-p', theirs]
  const sign = merge.sign ? ['-S'] : []
  return (await git(workTree, ['commit-tree', ...sign, edited, ...parents], { input: message, env }))!.trim()
}

/**
 * Moves the branch to a commit that follows it, and the user's files with it. False when somebody has committed meanwhile. Git refuses when
 * that would lose a change of theirs.
 */
export async function fastForward(repository: Repository, commit: string): Promise<boolean> {
  const how = ['--quiet', '--ff-only', '--no-autostash']
  for (const deadline = Date.now() + INDEX_MS; ; ) {
    try {
      const args = ['-c', 'core.hooksPath=/dev/null', 'merge', ...how, commit]
      const merging = git(repository.workTree, args)
      step('bringing in')
      await merging
      step('brought in')
      return true
    } catch (cause) {
      const said = cause instanceof LoopaiError ? String(cause.details.git) : ''
      if (/Not possible to fast-forward/.test(said)) return false
      if (!/index\.lock': File exists/.test(said)) throw overwritten(said, cause)
      if (Date.now() > deadline) throw indexBusy(repository)
    }
    await sleep(20)
  }
}

function overwritten(said: string, cause: unknown): unknown {
  if (!/would be overwritten|not uptodate/.test(said)) return cause
  const files = said
    .split('\n')
    .filter(line => line.startsWith('\t'))
    .map(line => line.trim())
  return new LoopaiError('CONFLICT', `${files.slice(0, 3).join(', ')} has changes that are not committed`, {
    hint: 'commit them or put them aside, then repeat the command',
    details: { changed: files },
    cause,
  })
}

async function mergeTrees({ workTree }: Repository, ours: string, theirs: string): Promise<string> {
  const args = ['merge-tree', '--write-tree', '--name-only', '-z', '--no-messages', ours, theirs]
  const said = await git(workTree, args, { accept: [1] })
  if (said !== undefined) return said.replaceAll('\0', '').trim()
  throw new LoopaiError('CONFLICT', 'both sides changed the same lines', {
    hint: `merge by hand: ${gitIn(workTree)} pull --no-rebase   then repeat the command`,
  })
}

async function editTree(repository: Repository, tree: string, edits: TreeEdit[]): Promise<string> {
  const { workTree, prefix, state } = repository
  const index = path.join(state, 'index-sync')
  const env = { GIT_INDEX_FILE: index }
  const lines: string[] = []
  for (const edit of edits) {
    const name = prefix + edit.path
    if ('gone' in edit) lines.push(`0 ${zeros(repository)}\t${name}\0`)
    else if ('id' in edit) lines.push(`${edit.mode} ${edit.id}\t${name}\0`)
    else {
      const id = (await git(workTree, ['hash-object', '-w', '--stdin'], { input: edit.content }))!.trim()
      lines.push(`${edit.mode} ${id}\t${name}\0`)
    }
  }
  try {
    await git(workTree, ['read-tree', tree], { env })
    await git(workTree, ['update-index', '-z', '--index-info'], { env, input: lines.join('') })
    step('tree edited')
    return (await git(workTree, ['write-tree'], { env }))!.trim()
  } finally {
    await rm(index, { force: true })
  }
}
