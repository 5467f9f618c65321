import { isHeld, type Lifecycle, lifecycleOf } from '../domain/history.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { readHistory } from '../store/history.ts'
import { tell } from './entry.ts'
import { openAppToWrite } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface LifecycleSet {
  loop_app_id: string
  /** As `list` has it: an app that is awake and has no active version is a draft. */
  state: Lifecycle | 'draft'
  changed: boolean
  commit: string | null
}

const STATES = { pause: 'paused', resume: 'active', archive: 'archived' } as const

/** Puts an app to rest, or wakes it; the latter lifts a hold on promotion as well. */
export async function setLifecycle(
  workspace: Workspace,
  id: string,
  op: keyof typeof STATES,
): Promise<LifecycleSet> {
  const { data, app } = await openAppToWrite(workspace, id)
  const lifecycle = STATES[op]
  const state = lifecycle === 'active' && !(await hasActive(app)) ? 'draft' : lifecycle
  return write(workspace, data, async transaction => {
    const history = await readHistory(app)
    const isDone = lifecycleOf(history) === lifecycle && !(op === 'resume' && isHeld(history))
    if (isDone) return { loop_app_id: app.id, state, changed: false, commit: null }
    const told = await tell(workspace, transaction, app, { op })
    const commit = await transaction.commit({
      kind: 'flip',
      subject: `${app.id}: ${op}`,
      trailers: told.trailers,
      files: [told.history],
    })
    return { loop_app_id: app.id, state, changed: true, commit }
  })
}

/** A link that is broken is one. */
async function hasActive(app: LoopApp): Promise<boolean> {
  return findActive(app).then(
    active => active !== undefined,
    () => true,
  )
}
