import { LoopaiError } from '../domain/errors.ts'
import { git, type Repository } from './git.ts'

/** Who a commit is by, as git writes it: `Name <email> seconds zone`. */
export interface Identity {
  author: string
  committer: string
  /** True when the user has none and CI lends its own. */
  isFallback: boolean
}

const FALLBACK = 'loopai <loopai@ci.invalid>'

/** The user's git identity; in CI without one, `loopai`, which nobody takes for a person. */
export async function readIdentity(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  now: Date,
): Promise<Identity> {
  try {
    const [author, committer] = await Promise.all(
      ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT'].map(name => git(repository.workTree, ['var', name])),
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

/** `Name <email>` without the time. */
export function personOf(ident: string): string {
  return ident.replace(/ \d+ [+-]\d{4}$/, '')
}
