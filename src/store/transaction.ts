import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError } from './atomic.ts'
import { findHead, git, type Repository } from './git.ts'
import { type Identity, readIdentity } from './identity.ts'
import { withLock } from './lock.ts'

/** One path of a commit, relative to the data directory. */
export interface CommittedFile {
  path: string
  mode: '100644' | '100755' | '120000'
  /** For a link (120000): its target. */
  content: string | Uint8Array
}

export interface Commit {
  subject: string
  /** The reason that the user gave. */
  body?: string | undefined
  trailers: Record<string, string>
  files: CommittedFile[]
}

/** The one way to write: under the lock, commits that contain our paths and nothing else. */
export interface Transaction {
  identity: Identity
  /** Commits the files, whatever is staged or changed elsewhere, and enters them into the user's index. Returns the commit's id. */
  commit: (commit: Commit) => Promise<string>
}

/** Waiting for git's own index lock, which other git commands hold for moments. */
const INDEX_WAIT_MS = 10_000
const ATTEMPTS = 30

/** Runs `work` with the write lock held. Keep it short: generating, testing and executing happen outside. */
export async function withTransaction<Result>(
  repository: Repository,
  now: Date,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return withLock(repository.state, async () => {
    refuseDuringMerge(repository)
    const identity = await readIdentity(repository, process.env, now)
    return work({ identity, commit: commit => commitFiles(repository, identity, commit) })
  })
}

/** A commit that lost the race against somebody else's is built again on the new HEAD. */
async function commitFiles(repository: Repository, identity: Identity, commit: Commit): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const ref = `refs/loopai/tx/${process.pid}-${randomBytes(4).toString('hex')}`
    const head = await findHead(repository)
    try {
      const id = await buildCommit(repository, identity, commit, ref, head)
      await landCommit(repository, commit, ref, id, head)
      return id
    } catch (error) {
      await git(repository.workTree, ['update-ref', '-d', ref], { accept: [1, 128] })
      if (attempt >= ATTEMPTS || !isLostRace(error)) throw error
    }
  }
}

/** Writes blobs, trees and the commit without any index, on a private reference. */
async function buildCommit(
  repository: Repository,
  identity: Identity,
  commit: Commit,
  ref: string,
  head: string | undefined,
): Promise<string> {
  const chunks: (string | Uint8Array)[] = [
    `feature done\ncommit ${ref}\nauthor ${identity.author}\ncommitter ${identity.committer}\n`,
    ...data(messageOf(commit)),
    head ? `from ${head}\n` : '',
  ]
  for (const file of commit.files) {
    chunks.push(`M ${file.mode} inline ${quote(repository.prefix + file.path)}\n`, ...data(file.content))
  }
  chunks.push('done\n')
  const input = Buffer.concat(chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)))
  await git(repository.workTree, ['fast-import', '--quiet'], { input })
  return (await git(repository.workTree, ['rev-parse', '--verify', ref]))!.trim()
}

/** Moves HEAD and brings the user's index along, both under git's own index lock. Entries of other paths stay as they are. */
async function landCommit(
  repository: Repository,
  commit: Commit,
  ref: string,
  id: string,
  head: string | undefined,
): Promise<void> {
  const lock = `${repository.index}.lock`
  await takeIndexLock(repository, lock)
  const next = path.join(repository.state, `index-${path.basename(ref)}`)
  try {
    if (existsSync(repository.index)) await copyFile(repository.index, next)
    const specs = commit.files.map(file => repository.prefix + file.path)
    const entries = await git(repository.workTree, ['ls-tree', '-r', '-z', '--full-tree', id, '--', ...specs])
    const env = { GIT_INDEX_FILE: next }
    await git(repository.workTree, ['update-index', '--add', '-z', '--index-info'], { input: entries!, env })
    const before = head ?? '0'.repeat(id.length)
    const steps = `start\nupdate HEAD ${id} ${before}\ndelete ${ref} ${id}\nprepare\ncommit\n`
    await git(repository.workTree, ['update-ref', '-m', `loopai: ${commit.subject}`, '--stdin'], {
      input: steps,
    })
    await rename(next, repository.index)
  } catch (error) {
    await rm(next, { force: true })
    throw explainWriteError(error, repository.index)
  } finally {
    await rm(lock, { force: true })
  }
}

async function takeIndexLock(repository: Repository, lock: string): Promise<void> {
  for (const deadline = Date.now() + INDEX_WAIT_MS; ; ) {
    try {
      return await (await open(lock, 'wx')).close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainWriteError(error, repository.index)
    }
    if (Date.now() > deadline) {
      throw new LoopaiError('GIT_BUSY', `another git command holds ${lock}`, {
        hint: 'wait for it; if no git command is running any more, remove that file',
      })
    }
    await sleep(5 + Math.random() * 10)
  }
}

/** A half-done merge or rebase owns HEAD and the index. */
function refuseDuringMerge(repository: Repository): void {
  const states = {
    merge: 'MERGE_HEAD',
    rebase: 'rebase-merge',
    'rebase (apply)': 'rebase-apply',
    'cherry-pick': 'CHERRY_PICK_HEAD',
    revert: 'REVERT_HEAD',
    bisect: 'BISECT_LOG',
  }
  for (const [name, file] of Object.entries(states)) {
    if (!existsSync(path.join(repository.gitDirectory, file))) continue
    throw new LoopaiError('GIT_BUSY', `a ${name} is in progress in ${repository.workTree}`, {
      hint: `finish it or abort it first: git ${name.split(' ')[0]} --continue   or   git status`,
    })
  }
}

function messageOf({ subject, body, trailers }: Commit): string {
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value.replace(/\s+/g, ' ')}`)
  return [subject, body?.trim(), lines.join('\n')].filter(Boolean).join('\n\n').concat('\n')
}

function data(content: string | Uint8Array): (string | Uint8Array)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n']
}

/** A path as fast-import reads it whatever bytes it has. */
function quote(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}

function isLostRace(error: unknown): boolean {
  return (
    error instanceof LoopaiError &&
    error.code === 'GIT_FAILED' &&
    /cannot lock ref|but expected|reference already exists/.test(String(error.details.git))
  )
}
