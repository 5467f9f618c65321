import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { findHead, git, type Repository, zeros } from './git.ts'
import { step } from './steps.ts'

/** How long a git process that outlived a crash is waited for. */
const SETTLE_MS = 2_000

/**
 * Moves HEAD, and makes a tag, in one step. Git hears `commit` only after it said that it holds every lock: when we die before that word
 * nothing lands later, when we die after it the locks tell (see `settleReferences`).
 */
export async function moveHead(
  repository: Repository,
  move: { from: string | undefined; to: string; subject: string; tag?: string | undefined },
): Promise<void> {
  const lines = [
    'start',
    `update HEAD ${move.to} ${move.from ?? zeros(repository)}`,
    ...(move.tag ? [`create refs/tags/${move.tag} ${move.to}`] : []),
    'prepare',
    '',
  ]
  await git(repository.workTree, ['update-ref', '-m', `loopai: ${move.subject}`, '--stdin'], {
    input: lines.join('\n'),
    confirm: { after: 'prepare: ok', input: agree },
  })
}

function agree(): string {
  step('references locked')
  setImmediate(step, 'told to land')
  return 'commit\n'
}

/** HEAD, once no process is on the way of moving it to this commit. */
export async function settleReferences(
  repository: Repository,
  commit: string | null | undefined,
): Promise<string | undefined> {
  for (let deadline = Date.now() + SETTLE_MS, isCleared = false; ; ) {
    const head = await findHead(repository)
    const input = `start\nverify HEAD ${head ?? zeros(repository)}\nprepare\nabort\n`
    try {
      await git(repository.workTree, ['update-ref', '--stdin'], { input })
      step('settled')
      return head
    } catch (error) {
      if (!isLostRace(error)) throw error
      if (Date.now() > deadline) {
        if (isCleared || !commit || !(await removeOwnLocks(repository, commit, head)))
          throw referencesBusy(error)
        isCleared = true
        deadline = Date.now() + SETTLE_MS
      }
    }
    await sleep(20)
  }
}

/**
 * Removes the locks of a git process that was killed together with ours. The branch's holds the commit that was to land; when that has
 * landed, HEAD's is the empty one that was to go next.
 */
async function removeOwnLocks(
  { workTree }: Repository,
  commit: string,
  head: string | undefined,
): Promise<boolean> {
  const branch = (
    await git(workTree, ['rev-parse', '--symbolic-full-name', 'HEAD'], { accept: [128] })
  )?.trim()
  const names = ['HEAD', branch || 'HEAD'].flatMap(name => ['--git-path', name])
  const said = (await git(workTree, ['rev-parse', '--path-format=absolute', ...names]))!
  const locks = said
    .trimEnd()
    .split('\n')
    .map(file => `${file}.lock`)
  const contents = await Promise.all(locks.map(file => readFile(file, 'utf8').catch(() => undefined)))
  const isOurs = contents.some(text => text?.trim() === commit) || (head === commit && contents[0] === '')
  if (!isOurs) return false
  const own = locks.filter((_, i) => contents[i] === '' || contents[i]?.trim() === commit)
  await Promise.all(own.map(file => rm(file, { force: true })))
  return true
}

/** Nobody can wait for ever: either a lock was left behind, or others commit all the time. */
export function referencesBusy(cause: unknown): LoopaiError {
  const file = /'([^']*\.lock)'/.exec(complaintOf(cause))?.[1]
  if (!file)
    return new LoopaiError('GIT_BUSY', 'others keep committing to this branch', {
      hint: 'repeat the command',
      cause,
    })
  return new LoopaiError('GIT_BUSY', `another git command holds ${file}`, {
    hint: 'wait for it; if no git command is running any more, remove that file',
    cause,
  })
}

/** True when HEAD was moved, or is being moved, by somebody else: worth another try. */
export function isLostRace(error: unknown): boolean {
  return /cannot lock ref '(HEAD|refs\/heads\/)|but expected/.test(complaintOf(error))
}

export function isTagTaken(error: unknown): boolean {
  return /'refs\/tags\/.*already exists/.test(complaintOf(error))
}

function complaintOf(error: unknown): string {
  return error instanceof LoopaiError && error.code === 'GIT_FAILED' ? String(error.details.git) : ''
}
