import { parseAddress } from '../domain/address.ts'
import { askOfLock } from '../domain/asks.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, listApps, readApp } from '../store/apps.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import { listVersions, readVersion, resolveVersion, verifyVersion } from '../store/versions.ts'
import { environmentOf, findPython, openPackages } from './environments.ts'
import { installLock } from './install-packages.ts'
import { refuseUntrusted } from './trust.ts'
import type { Workspace } from './workspace.ts'

export interface PrepareRequest {
  /** App or version; default: all apps. */
  address?: string | undefined
  /** All versions, instead of the active ones. */
  all?: boolean | undefined
}

/** A version that needs packages. */
export interface Prepared {
  loop_app_id: string
  version: number
  packages: string[]
  /** False when they were there already. */
  changed: boolean
}

/** Installs what versions need that were made elsewhere: by default the active ones. One that cannot be had does not keep the others from it. */
export async function prepare(workspace: Workspace, request: PrepareRequest): Promise<Prepared[]> {
  const data = await openDataDirectory(workspace)
  const prepared: Prepared[] = []
  const failures: LoopaiError[] = []
  for (const { app, version } of await versionsOf(data, request)) {
    try {
      const one = await prepareVersion(workspace, data, app, version)
      if (one) prepared.push(one)
    } catch (error) {
      if (!(error instanceof LoopaiError) || error.code === 'INTERRUPTED') throw error
      failures.push(error)
    }
  }
  const [first, ...others] = failures
  if (!first) return prepared
  throw new LoopaiError(first.code, failures.map(({ message }) => message).join('\n'), {
    ...(first.hint !== undefined && { hint: first.hint }),
    details: { ...first.details, prepared, failed: others.length + 1 },
    cause: first,
  })
}

async function prepareVersion(
  workspace: Workspace,
  data: DataDirectory,
  app: LoopApp,
  version: Version,
): Promise<Prepared | undefined> {
  if (version.manifest.removed) return undefined
  await verifyVersion(app, version)
  const state = await environmentOf(version)
  if (!state) return undefined
  const { packages, isInstalled, from } = state
  const result = { loop_app_id: app.id, version: version.number, packages, changed: false }
  if (isInstalled) return result
  const interpreter = await findPython()
  if (from === 'system') {
    // Says what is missing: only the system's own means can install it.
    await openPackages(
      { loopAppId: app.id, version: version.number, directory: version.directory },
      state,
      interpreter,
    )
    return result
  }
  refuseUntrusted(data, askOfLock(state.text, state.lock), app.id)
  await installLock(workspace, interpreter, state)
  return { ...result, changed: true }
}

async function versionsOf(
  data: DataDirectory,
  { address, all }: PrepareRequest,
): Promise<{ app: LoopApp; version: Version }[]> {
  const parsed = address === undefined ? undefined : parseAddress(address)
  const ids = parsed ? [parsed.loopAppId] : await listApps(data)
  const found = await Promise.all(
    ids.map(async id => {
      const app = await readApp(data, id)
      if (parsed?.version) return [{ app, version: await resolveVersion(app, parsed.version) }]
      if (parsed && !all) return [{ app, version: await resolveVersion(app, { by: 'name', name: 'active' }) }]
      const active = await findActive(app)
      const numbers = all ? await listVersions(app) : active === undefined ? [] : [active]
      return Promise.all(numbers.map(async number => ({ app, version: await readVersion(app, number) })))
    }),
  )
  return found.flat()
}
