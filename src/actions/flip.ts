import { LoopaiError } from '../domain/errors.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import type { VersionName } from '../store/versions.ts'
import { type Occurrence, tell } from './entry.ts'
import type { OpenApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Flip extends Omit<Occurrence, 'from' | 'to'> {
  /** What was active when this was decided. */
  from: VersionName | undefined
  to: Version
}

/** Moves the active link and says so in the history: one commit. Refused when something else was activated meanwhile. */
export async function flip(
  workspace: Workspace,
  { data, app }: Pick<OpenApp, 'data' | 'app'>,
  { from, to, op, ...rest }: Flip,
): Promise<string | null> {
  return write(workspace, data, async transaction => {
    const active = await findActive(app)
    if (active !== from?.number) throw activatedMeanwhile(app.id, active)
    const name = { number: to.number, digest: to.manifest.digest }
    const { history, trailers } = await tell(workspace, transaction, app, { op, from, to: name, ...rest })
    const change = from ? `v${from.number} -> v${to.number}` : `v${to.number}`
    return transaction.commit({
      kind: 'flip',
      subject: `${app.id}: ${op} ${change}`,
      trailers,
      files: [
        history,
        { path: `loop-apps/${app.id}/artifacts/active`, mode: '120000', content: `v${to.number}` },
      ],
    })
  })
}

function activatedMeanwhile(id: string, active: number | undefined): LoopaiError {
  const what = active === undefined ? 'nothing is active any more' : `v${active} was activated meanwhile`
  return new LoopaiError('CONFLICT', `${id}: ${what}`, { hint: 'look at it and repeat the command' })
}
