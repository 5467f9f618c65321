import { parseId } from '../domain/address.ts'
import { type Ask, askOfLock, asksOf } from '../domain/asks.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { JsonObject } from '../domain/json.ts'
import { type LoopApp, listApps, readApp, readConfig } from '../store/apps.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import { isTrusted, trust as recordTrust } from '../store/trust.ts'
import { listVersions, readVersion } from '../store/versions.ts'
import { environmentOf } from './environments.ts'
import type { Workspace } from './workspace.ts'

/** Something that the configuration or a version of an app asks of this machine, and whether its user has agreed. */
export interface AskOfApp {
  loop_app_id: string
  ask: ReturnType<typeof asksOf>[number]
  trusted: boolean
}

export interface AskFilter {
  /** Default: all apps. */
  id?: string | undefined
  /** Only packages that versions need. */
  packages?: boolean | undefined
}

/** What tracked files ask of this machine beyond running programs in the sandbox. */
export async function listAsks(workspace: Workspace, { id, packages }: AskFilter = {}): Promise<AskOfApp[]> {
  const data = await openDataDirectory(workspace)
  const ids = id === undefined ? await listApps(data) : [parseId(id)]
  const found = await Promise.all(
    ids.map(async id => {
      const app = await readApp(data, id)
      const ofConfig = packages ? [] : asksOf(await readConfig(data, app))
      return [...ofConfig, ...(await asksOfVersions(app))].map(ask => ({ id, ask }))
    }),
  )
  return found.flat().map(({ id, ask }) => ({ loop_app_id: id, ask, trusted: isTrusted(data.root, ask) }))
}

/** Each lock once. */
async function asksOfVersions(app: LoopApp): Promise<(Ask & JsonObject)[]> {
  const versions = await Promise.all((await listVersions(app)).map(number => readVersion(app, number)))
  const states = await Promise.all(versions.map(environmentOf))
  const locked = states.filter(state => state?.from === 'index')
  return [...new Map(locked.map(state => [state!.text, askOfLock(state!.text, state!.lock)])).values()]
}

/** Throws unless somebody here has agreed to the packages, or made the lock. */
export function refuseUntrusted({ root }: DataDirectory, ask: Ask & JsonObject, app: string): void {
  if (isTrusted(root, ask)) return
  const packages = ask.kind === 'packages' ? ask.packages.join(', ') : ask.kind
  throw new LoopaiError(
    'NOT_TRUSTED',
    `${app} asks to install ${packages}, and nobody here has agreed to that`,
    { hint: `read it, and agree with: loopai trust ${app} --packages`, details: { ask } },
  )
}

/** Agrees to exactly these, for this data directory on this machine. A change of one asks again. */
export async function trust(workspace: Workspace, asks: AskOfApp[]): Promise<AskOfApp[]> {
  const { root } = await openDataDirectory(workspace)
  for (const { ask } of asks) await recordTrust(root, ask, workspace.now())
  return asks.map(one => ({ ...one, trusted: true }))
}
