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

/** HEAD, once no process is on the way of moving it. */
export async function settleReferences(repository: Repository): Promise<string | undefined> {
  for (const deadline = Date.now() + SETTLE_MS; ; ) {
    const head = await findHead(repository)
    const input = `start\nverify HEAD ${head ?? zeros(repository)}\nprepare\nabort\n`
    try {
      await git(repository.workTree, ['update-ref', '--stdin'], { input })
      step('settled')
      return head
    } catch (error) {
      if (!isLostRace(error) || Date.now() > deadline) throw error
    }
    await sleep(20)
  }
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
