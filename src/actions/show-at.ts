import { parseId } from '../domain/address.ts'
import { type Moment, momentOf } from '../domain/history.ts'
import { readApp } from '../store/apps.ts'
import { readHistory } from '../store/history.ts'
import { openDataDirectory } from '../store/root.ts'
import type { Workspace } from './workspace.ts'

export interface ShownMoment extends Moment {
  loop_app_id: string
  at: string
}

/** What an app was at some time, as its history tells it. */
export async function showAt(workspace: Workspace, id: string, at: Date): Promise<ShownMoment> {
  const data = await openDataDirectory(workspace)
  const app = await readApp(data, parseId(id))
  return { loop_app_id: app.id, at: at.toISOString(), ...momentOf(await readHistory(app), at) }
}
