import { LoopaiError } from '../domain/errors.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { findHead, openRepository, withoutCredentials } from '../store/git.ts'
import { gitIn } from '../store/git-words.ts'
import { findRemote, nameUpstream, pushUpstream } from '../store/upstream.ts'
import { readVersion } from '../store/versions.ts'
import { sync } from './sync.ts'
import type { Workspace } from './workspace.ts'

/**
 * Sends a flip to the branch that this one follows, together with what others have sent meanwhile; or to a branch of its own, for a
 * pull request. Returns where it went. Refused when somebody else has promoted another version: upstream's pointer won.
 */
export async function publish(
  workspace: Workspace,
  app: LoopApp,
  { version, branch }: { version: Version; branch?: string | undefined },
): Promise<string> {
  try {
    return branch === undefined ? await sendWithAll(workspace, app, version) : await sendTo(branch, app)
  } catch (error) {
    throw error instanceof LoopaiError ? notSent(app, version, error) : error
  }
}

async function sendWithAll(workspace: Workspace, app: LoopApp, { manifest }: Version): Promise<string> {
  const { upstream } = await sync(workspace)
  const active = await findActive(app)
  if (active !== undefined && (await readVersion(app, active)).manifest.digest === manifest.digest)
    return upstream
  throw new LoopaiError('CONFLICT', `${app.id}: ${upstream} has promoted v${active} meanwhile`, {
    hint: `look at it with: loopai log ${app.id}   and promote again when yours is the better one`,
    details: { active: active ?? null },
  })
}

async function sendTo(branch: string, app: LoopApp): Promise<string> {
  const repository = await openRepository(app.paths.directory)
  const remote = await findRemote(repository)
  const head = (await findHead(repository))!
  const target = { remote, ref: `refs/heads/${branch}` }
  const name = nameUpstream(target)
  if (await pushUpstream(repository, target, head)) return name
  throw new LoopaiError('PUSH_REJECTED', `${name} is there already, with other commits`, {
    hint: `name another branch, or remove that one: ${gitIn(repository.workTree)} push ${withoutCredentials(remote)} --delete ${branch}`,
  })
}

/** What is active here already is not there yet; unless upstream's pointer won, when it is not even that. */
function notSent({ id }: LoopApp, { number }: Version, cause: LoopaiError): LoopaiError {
  if (cause.code === 'CONFLICT' && cause.details.active !== undefined) return cause
  const message = `${cause.message}\n  v${number} of ${id} is active here, and was not sent`
  const hint = [cause.hint, 'then send it with the same command, or with: loopai sync'].filter(Boolean)
  return new LoopaiError(cause.code, message, { hint: hint.join('\n      '), details: cause.details, cause })
}
