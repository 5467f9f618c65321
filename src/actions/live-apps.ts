import { parseId } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { listApps, readApp } from '../store/apps.ts'
import { openDataDirectory } from '../store/root.ts'
import { type LiveApp, type LiveAppOptions, openLiveApp } from './live-app.ts'
import type { Workspace } from './workspace.ts'

/** The apps of a data directory that are served. Whoever opens them closes them. */
export interface LiveApps {
  /** Of the data directory. */
  root: string
  /** Opens it when it is asked for the first time. */
  get(id: string): LiveApp | Promise<LiveApp>
  /** Whether an app of the data directory is one of those. */
  serves(id: string): boolean
  /** Those that are open. */
  opened(): LiveApp[]
  /** Apps that could not be opened, and why. */
  failures(): Map<string, string>
  /** Opens all of them, and starts their active versions. */
  warm(): Promise<void>
  close(patienceMs?: number): Promise<void>
}

export interface LiveAppsOptions extends LiveAppOptions {
  /** Only these; by default all, also those that are created later. */
  ids?: string[] | undefined
}

export async function openLiveApps(workspace: Workspace, options: LiveAppsOptions): Promise<LiveApps> {
  const data = await openDataDirectory(workspace)
  const ids = options.ids?.length ? options.ids.map(parseId) : undefined
  const apps = new Map<string, LiveApp>()
  const opening = new Map<string, Promise<LiveApp>>()
  const failed = new Map<string, string>()
  for (const id of ids ?? []) await readApp(data, id)

  async function open(id: string): Promise<LiveApp> {
    try {
      if (ids && !ids.includes(parseId(id))) {
        throw new LoopaiError('APP_NOT_FOUND', `${id} is not served here`, {
          hint: `served are: ${ids.join(', ')}`,
        })
      }
      const app = await readApp(data, parseId(id))
      const live = await openLiveApp(workspace, data, app, options)
      apps.set(id, live)
      failed.delete(id)
      return live
    } catch (cause) {
      if (cause instanceof LoopaiError && ['APP_NOT_FOUND', 'INVALID_ID'].includes(cause.code)) throw cause
      const { message } = cause as Error
      failed.set(id, message)
      throw new LoopaiError('INTEGRITY', `${id} cannot be served: ${message}`, { cause })
    }
  }

  function get(id: string): LiveApp | Promise<LiveApp> {
    const known = apps.get(id)
    if (known) return known
    const promise = opening.get(id) ?? open(id).finally(() => opening.delete(id))
    opening.set(id, promise)
    return promise
  }

  return {
    root: data.root,
    get,
    serves: id => ids?.includes(id) ?? true,
    opened: () => [...apps.values()],
    failures: () => failed,
    async warm() {
      for (const id of ids ?? (await listApps(data))) {
        try {
          await (await get(id)).refresh()
        } catch (problem) {
          // Whatever it is: the others are served.
          workspace.report((problem as Error).message)
        }
      }
    },
    async close(patienceMs) {
      await Promise.allSettled(opening.values())
      await Promise.all([...apps.values()].map(app => app.close(patienceMs)))
    },
  }
}
