import { parseId } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { HistoryEntry } from '../domain/history.ts'
import type { Manifest, Version } from '../domain/version.ts'
import { type LoopApp, listApps, readApp } from '../store/apps.ts'
import { readHistory } from '../store/history.ts'
import { openDataDirectory } from '../store/root.ts'
import { listVersions, readVersion } from '../store/versions.ts'
import type { Workspace } from './workspace.ts'

/** A version's birth (`op` is how it was made), or a line of the app's history. */
export interface LogEntry {
  loop_app_id: string
  at: string
  op: HistoryEntry['op'] | Manifest['origin']['kind']
  from: number | null
  to: number | null
  digest: string | null
  by: string
  reason: string | null
  forced: boolean
  mark: HistoryEntry['mark'] | null
  /** Of a birth: numbers that the version had in a clone, before a sync found them taken upstream. */
  former_numbers?: number[]
}

export interface LogRequest {
  /** Default: all apps. */
  app?: string | undefined
  op?: string | undefined
  /** Entries before this moment are left out. */
  since?: Date | undefined
}

/** Births of versions and changes of the active pointer, newest first. */
export async function log(workspace: Workspace, request: LogRequest = {}): Promise<LogEntry[]> {
  const data = await openDataDirectory(workspace)
  const ids = request.app === undefined ? await listApps(data) : [parseId(request.app)]
  const entries = await Promise.all(ids.map(async id => entriesOf(workspace, await readApp(data, id))))
  return entries
    .flat()
    .filter(({ op }) => request.op === undefined || op === request.op)
    .filter(({ at }) => request.since === undefined || new Date(at) >= request.since)
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
}

async function entriesOf(workspace: Workspace, app: LoopApp): Promise<LogEntry[]> {
  const [history, numbers] = await Promise.all([readHistory(app), listVersions(app)])
  const versions = await Promise.all(numbers.map(number => tryVersion(workspace, app, number)))
  const births = versions
    .filter(version => version !== undefined)
    .map(
      ({ manifest }): LogEntry => ({
        loop_app_id: app.id,
        at: manifest.created_at,
        op: manifest.origin.kind,
        from: manifest.parent,
        to: manifest.version,
        digest: manifest.digest,
        by: manifest.created_by,
        reason: null,
        forced: false,
        mark: null,
        ...(manifest.former_numbers && { former_numbers: manifest.former_numbers }),
      }),
    )
  const changes = history.map(
    (entry): LogEntry => ({
      loop_app_id: app.id,
      at: entry.at,
      op: entry.op,
      from: entry.from,
      to: entry.to,
      digest: entry.to_digest ?? null,
      by: entry.by,
      reason: entry.reason,
      forced: entry.forced,
      mark: entry.mark ?? null,
    }),
  )
  // Newest first, and in what one moment holds, the later line first.
  return [...births, ...changes].reverse()
}

/** A version that is broken has no birth to tell of, and does not hide the others. */
async function tryVersion(workspace: Workspace, app: LoopApp, number: number): Promise<Version | undefined> {
  try {
    return await readVersion(app, number)
  } catch (error) {
    if (!(error instanceof LoopaiError)) throw error
    workspace.report(error.message)
    return undefined
  }
}
