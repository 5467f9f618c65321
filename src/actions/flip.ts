import { LoopaiError } from '../domain/errors.ts'
import { lifecycleOf, removedVersions } from '../domain/history.ts'
import type { Version } from '../domain/version.ts'
import { findReplaced } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { isUsable } from '../store/folders.ts'
import { readHistory } from '../store/history.ts'
import { identifyVersion, type VersionName } from '../store/versions.ts'
import { type Occurrence, tell } from './entry.ts'
import type { OpenApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { type Prepared, write } from './write.ts'

export interface Flip extends Omit<Occurrence, 'from' | 'to'> {
  /** What was active when this was decided. */
  from: VersionName | undefined
  to: Version
}

/** Moves the active link and says so in the history: one commit. Refused when what was decided on is not so any more. */
export async function flip(
  workspace: Workspace,
  { data, app, prepared }: Pick<OpenApp, 'data' | 'app'> & { prepared?: Prepared },
  { from, to, op, ...rest }: Flip,
): Promise<string | null> {
  return write(workspace, { ...data, prepared }, async transaction => {
    const active = (await findReplaced(app)) ?? undefined
    const change = await findChange(app, { active, from, to })
    if (change) throw changedMeanwhile(app.id, change)
    const name = { number: to.number, digest: to.manifest.digest }
    const { history, trailers } = await tell(workspace, transaction, app, { op, from, to: name, ...rest })
    const move = from ? `v${from.number} -> v${to.number}` : `v${to.number}`
    return transaction.commit({
      kind: 'flip',
      subject: `${app.id}: ${op} ${move}`,
      trailers,
      files: [
        history,
        { path: `loop-apps/${app.id}/artifacts/active`, mode: '120000', content: `v${to.number}` },
      ],
    })
  })
}

/** What has happened since the flip was decided, if anything stands against it. */
async function findChange(
  app: LoopApp,
  { active, from, to }: Pick<Flip, 'from' | 'to'> & { active: number | undefined },
): Promise<string | undefined> {
  if (active !== from?.number)
    return active === undefined ? 'nothing is active any more' : `v${active} was activated meanwhile`
  const history = await readHistory(app)
  if (lifecycleOf(history) === 'archived') return 'it was archived meanwhile'
  const isGone = removedVersions(history).has(to.number) || !isUsable(app, to.number)
  if (isGone) return `v${to.number} was removed meanwhile`
  const { digest } = await identifyVersion(app, to.number)
  return digest === to.manifest.digest ? undefined : `v${to.number} is another one now`
}

function changedMeanwhile(id: string, what: string): LoopaiError {
  return new LoopaiError('CONFLICT', `${id}: ${what}`, { hint: 'look at it and repeat the command' })
}
