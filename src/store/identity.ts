import { LoopaiError } from '../domain/errors.ts'
import { git } from './git.ts'

/** Who a commit is by, as git writes it: `Name <email> seconds zone`. */
export interface Identity {
  author: string
  committer: string
  /** True when the user has none and CI lends its own. */
  isFallback: boolean
}

const FALLBACK = 'loopai <loopai@ci.invalid>'

/** What git is told about the user and by the user. */
export interface GitUser {
  identity: Identity
  /** Value of a setting, by its name in lower case. */
  setting: (name: string) => string | undefined
  /** Whether any branch follows another. */
  hasUpstream: boolean
}

/** The user of the repository around a folder, and their git identity; in CI without one, `loopai`, which nobody takes for a person. */
export async function readUser(folder: string, env: NodeJS.ProcessEnv, now: Date): Promise<GitUser> {
  const listed = await git(folder, ['var', '-l'], { accept: [1, 128] })
  const values = new Map((listed ?? '').split('\n').map(splitSetting))
  const setting = (name: string) => values.get(name)
  const author = setting('GIT_AUTHOR_IDENT')
  const committer = setting('GIT_COMMITTER_IDENT')
  const isGiven = ['author', 'committer'].every(role => isPersonGiven(role, setting, env))
  const identity =
    author && committer && isGiven
      ? { author, committer, isFallback: false }
      : await readIdentity(folder, env, now)
  const hasUpstream = [...values.keys()].some(name => /^branch\..*\.merge$/.test(name))
  return { identity, setting, hasUpstream }
}

/** `git var -l` guesses where somebody must be named. */
function isPersonGiven(role: string, setting: GitUser['setting'], env: NodeJS.ProcessEnv): boolean {
  return ['name', 'email'].every(
    part => env[`GIT_${role}_${part}`.toUpperCase()] || setting(`${role}.${part}`) || setting(`user.${part}`),
  )
}

/** The identity as git itself insists on it. */
async function readIdentity(folder: string, env: NodeJS.ProcessEnv, now: Date): Promise<Identity> {
  try {
    const [author, committer] = await Promise.all(
      ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT'].map(name => git(folder, ['var', name])),
    )
    return { author: author!.trim(), committer: committer!.trim(), isFallback: false }
  } catch (cause) {
    if (!(cause instanceof LoopaiError) || cause.code !== 'GIT_FAILED') throw cause
    if (env.CI) {
      const ident = `${FALLBACK} ${Math.floor(now.getTime() / 1000)} +0000`
      return { author: ident, committer: ident, isFallback: true }
    }
    throw new LoopaiError('NO_IDENTITY', 'git does not know who you are, and every change is a commit', {
      hint: 'git config --global user.name "Your Name"\n      git config --global user.email you@example.com',
      cause,
    })
  }
}

/** The identity as variables, for a git process that makes a commit itself. */
export function environmentOf(identity: Identity): Record<string, string> {
  const variables = (role: string, ident: string) => {
    const [, name, email, seconds, zone] = /^(.*) <(.*)> (\d+) ([+-]\d{4})$/.exec(ident)!
    return {
      [`GIT_${role}_NAME`]: name!,
      [`GIT_${role}_EMAIL`]: email!,
      [`GIT_${role}_DATE`]: `@${seconds} ${zone}`,
    }
  }
  return { ...variables('AUTHOR', identity.author), ...variables('COMMITTER', identity.committer) }
}

/** A setting without a value means true. */
function splitSetting(line: string): [string, string] {
  const end = line.indexOf('=')
  return end < 0 ? [line, 'true'] : [line.slice(0, end), line.slice(end + 1)]
}

export function isTrue(setting: string | undefined): boolean {
  return setting !== undefined && /^(true|yes|on|[1-9]\d*)$/i.test(setting)
}

/** `Name <email>` without the time. */
export function personOf(ident: string): string {
  return ident.replace(/ \d+ [+-]\d{4}$/, '')
}
