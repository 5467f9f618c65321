import { parseId } from '../domain/address.ts'
import { asksOf } from '../domain/asks.ts'
import { listApps, readApp, readConfig } from '../store/apps.ts'
import { openDataDirectory } from '../store/root.ts'
import { isTrusted, trust as recordTrust } from '../store/trust.ts'
import type { Workspace } from './workspace.ts'

/** Something that the configuration of an app asks of this machine, and whether its user has agreed. */
export interface AskOfApp {
  loop_app_id: string
  ask: ReturnType<typeof asksOf>[number]
  trusted: boolean
}

/** What tracked files ask of this machine beyond running programs in the sandbox. Default: of all apps. */
export async function listAsks(workspace: Workspace, id?: string): Promise<AskOfApp[]> {
  const data = await openDataDirectory(workspace)
  const ids = id === undefined ? await listApps(data) : [parseId(id)]
  const found = await Promise.all(
    ids.map(async id => asksOf(await readConfig(data, await readApp(data, id))).map(ask => ({ id, ask }))),
  )
  return found.flat().map(({ id, ask }) => ({ loop_app_id: id, ask, trusted: isTrusted(data.root, ask) }))
}

/** Agrees to exactly these, for this data directory on this machine. A change of one asks again. */
export async function trust(workspace: Workspace, asks: AskOfApp[]): Promise<AskOfApp[]> {
  const { root } = await openDataDirectory(workspace)
  for (const { ask } of asks) await recordTrust(root, ask, workspace.now())
  return asks.map(one => ({ ...one, trusted: true }))
}
