import { LoopaiError } from '../domain/errors.ts'
import { git, type Repository, withoutCredentials } from './git.ts'
import { gitIn } from './git-words.ts'
import { isGone } from './owner.ts'
import { step } from './steps.ts'

/** What the present branch follows. */
export interface Upstream {
  remote: string
  /** Reference in the remote repository. */
  ref: string
  /** The commit that it was at when it was last fetched. */
  tip: string
}

/** How a branch elsewhere is called. The remote may be an address. */
export function nameUpstream({ remote, ref }: Omit<Upstream, 'tip'>): string {
  return `${withoutCredentials(remote)}/${ref.replace('refs/heads/', '')}`
}

/** Where a fetch keeps what it has got; the process that fetches is in the name. */
const FETCHED = 'refs/loopai/upstream-'
const READ_MS = 60_000
const NETWORK_MS = 10 * 60_000

/** Asks the remote repository for what is new. */
export async function fetchUpstream(repository: Repository): Promise<Upstream> {
  const { workTree } = repository
  const { branch, setting } = await readBranch(workTree)
  const [remote, ref] = await Promise.all([setting('remote'), setting('merge')])
  if (!remote || !ref) throw await noUpstream(workTree, branch)
  await removeReferences(repository, await findAbandoned(repository))
  return { remote, ref, tip: await fetchTip(workTree, remote, ref) }
}

async function noUpstream(workTree: string, branch: string): Promise<LoopaiError> {
  const remote = await findFirstRemote(workTree)
  const git = gitIn(workTree)
  if (!branch)
    return new LoopaiError('NO_UPSTREAM', 'HEAD is on no branch', {
      hint: `go to one first: ${git} switch main   or keep what is here: ${git} switch -c <name>`,
    })
  if (remote === undefined) return noRemote(workTree, branch)
  return new LoopaiError('NO_UPSTREAM', `${branch} follows no branch elsewhere`, {
    hint: `name one once: ${git} push -u ${remote} ${branch}`,
  })
}

function noRemote(workTree: string, branch: string): LoopaiError {
  const git = gitIn(workTree)
  return new LoopaiError('NO_UPSTREAM', 'this repository has no remote', {
    hint: `name one once: ${git} remote add origin <address>   and send it: ${git} push -u origin ${branch || 'HEAD:refs/heads/main'}`,
  })
}

async function findFirstRemote(workTree: string): Promise<string | undefined> {
  const names = (await git(workTree, ['remote']))!.split('\n').filter(Boolean)
  return names.includes('origin') ? 'origin' : names[0]
}

/** References of fetches that were killed. */
export async function findAbandoned({ workTree }: Repository): Promise<string[]> {
  const said = (await git(workTree, ['for-each-ref', '--format=%(refname)', 'refs/loopai']))!
  const names = said.split('\n').filter(name => name.startsWith(FETCHED))
  return names.filter(name => isGone(Number(name.slice(FETCHED.length))))
}

export async function removeReferences({ workTree }: Repository, names: string[]): Promise<void> {
  for (const name of names) await git(workTree, ['update-ref', '-d', name])
}

/** Not by way of FETCH_HEAD: an editor may fetch something else at the same time. */
async function fetchTip(workTree: string, remote: string, ref: string): Promise<string> {
  const ours = FETCHED + process.pid
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', remote, `+${ref}:${ours}`]
  try {
    await git(workTree, args, { timeoutMs: NETWORK_MS })
    step('fetched')
    return (await git(workTree, ['rev-parse', '--verify', `${ours}^{commit}`]))!.trim()
  } catch (cause) {
    const name = withoutCredentials(remote)
    throw new LoopaiError('REMOTE_FAILED', `${name} cannot be reached: ${(cause as Error).message}`, {
      hint: `try it: ${gitIn(workTree)} fetch ${name}`,
      cause,
    })
  } finally {
    await git(workTree, ['update-ref', '-d', ours])
  }
}

/** The remote repository of the present branch, else `origin`, else the first one. */
export async function findRemote({ workTree }: Repository): Promise<string> {
  const { branch, setting } = await readBranch(workTree)
  const remote = (await setting('remote')) || (await findFirstRemote(workTree))
  if (remote) return remote
  throw noRemote(workTree, branch)
}

/** The branch that HEAD is on, empty when it is on none, and what the configuration says of it. */
async function readBranch(workTree: string) {
  const { simpleGit } = await import('simple-git')
  const reader = simpleGit(workTree, { timeout: { block: READ_MS } })
  const branch = (await reader.raw('symbolic-ref', '--quiet', '--short', 'HEAD')).trim()
  const setting = async (name: string) =>
    branch ? (await reader.getConfig(`branch.${branch}.${name}`)).value : null
  return { branch, setting }
}

/** Sends a commit. False when somebody else was faster. */
export async function pushUpstream(
  { workTree }: Repository,
  { remote, ref }: Pick<Upstream, 'remote' | 'ref'>,
  commit: string,
): Promise<boolean> {
  try {
    const sending = git(workTree, ['push', '--quiet', remote, `${commit}:${ref}`], { timeoutMs: NETWORK_MS })
    step('sending')
    await sending
    step('sent')
    return true
  } catch (cause) {
    const said = cause instanceof LoopaiError ? String(cause.details.git) : ''
    if (
      /\(fetch first\)|\(non-fast-forward\)|cannot lock ref|\[remote rejected\].*failed to update ref/.test(
        said,
      )
    )
      return false
    const name = withoutCredentials(remote)
    const isRefused = /\[remote rejected\]|\[rejected\]|hook declined|protected branch/.test(said)
    throw new LoopaiError(
      isRefused ? 'PUSH_REJECTED' : 'REMOTE_FAILED',
      `${name} did not take the commit: ${(cause as Error).message}`,
      {
        hint: isRefused
          ? 'push to a branch of its own, and open a pull request'
          : `try it: ${gitIn(workTree)} push ${name}`,
        cause,
      },
    )
  }
}

/** How many commits each side has that the other has not. */
export async function countApart({ workTree }: Repository, ours: string, theirs: string) {
  const said = (await git(workTree, ['rev-list', '--left-right', '--count', `${ours}...${theirs}`]))!
  const [ahead, behind] = said.trim().split(/\s+/).map(Number)
  return { ahead: ahead!, behind: behind! }
}
