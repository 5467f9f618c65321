import { LoopaiError } from '../domain/errors.ts'
import type { Lifecycle } from '../domain/history.ts'
import type { LoopApp } from '../store/apps.ts'

/** A paused or archived app answers nobody. */
export function refuseResting({ id }: LoopApp, lifecycle: Lifecycle): void {
  if (lifecycle === 'active') return
  const code = lifecycle === 'paused' ? 'APP_PAUSED' : 'APP_ARCHIVED'
  throw new LoopaiError(code, `${id} is ${lifecycle}`, { hint: `wake it with: loopai resume ${id}` })
}

/** What is put away stays as it is. A paused app may change its version: that is what one pauses it for. */
export function refuseArchived(app: LoopApp, lifecycle: Lifecycle): void {
  if (lifecycle === 'archived') refuseResting(app, lifecycle)
}
