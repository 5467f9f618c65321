import { isFileError, LoopaiError } from '../domain/errors.ts'
import { scoreAtBirth } from '../domain/evaluation.ts'
import { lifecycleOf, removedVersions } from '../domain/history.ts'
import type { Score } from '../domain/scorecard.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, listApps, readApp } from '../store/apps.ts'
import { readHistory } from '../store/history.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import { appearanceOfApp, findSummaries, rememberSummaries } from '../store/summaries.ts'
import { listVersions, problemOfActive, readVersion } from '../store/versions.ts'
import type { Workspace } from './workspace.ts'

export interface ListedApp {
  loop_app_id: string
  /** Null before the first promotion. */
  active_version: number | null
  latest_version: number | null
  versions: number
  state: 'active' | 'draft' | 'paused' | 'archived' | 'broken'
  /** Of the active version, else of the latest, as it was when it was made. */
  score: Score | null
  /** What is wrong with it, when the state is `broken`. */
  problem?: string
  /** What to do about it. */
  fix?: string
}

/** All apps of the data directory, sorted by id. One that is broken does not hide the others; what has not changed is not read again. */
export async function list(workspace: Workspace): Promise<ListedApp[]> {
  const data = await openDataDirectory(workspace)
  const known = findSummaries<ListedApp>(data.root)
  const kept: typeof known = {}
  let isNews = false
  const listed: ListedApp[] = []
  // One after the other: all at once would hold the files of all of them.
  for (const id of await listApps(data)) {
    const app = { id, paths: data.paths.app(id) }
    const { text, isSettled } = appearanceOfApp(app)
    const before = known[id]
    const isKnown = before?.appearance === text
    const value = isKnown ? before.value : await summarize(data, app)
    if (isKnown || (isSettled && value.state !== 'broken')) kept[id] = { appearance: text, value }
    isNews ||= !isKnown
    listed.push(value)
  }
  if (isNews) rememberSummaries(data.root, kept)
  return listed
}

async function summarize(data: DataDirectory, app: LoopApp): Promise<ListedApp> {
  const versions = await listVersions(app)
  const summary = {
    loop_app_id: app.id,
    active_version: null,
    latest_version: versions.at(-1) ?? null,
    versions: versions.length,
    score: null,
  }
  try {
    await readApp(data, app.id)
    const [active, history] = await Promise.all([findActive(app), readHistory(app)])
    const broken = problemOfActive(app, active, versions, history)
    if (broken) throw broken
    const lifecycle = lifecycleOf(history)
    const removed = removedVersions(history)
    const latest = versions.findLast(number => !removed.has(number))
    const shown = active ?? latest
    const evaluation = shown === undefined ? undefined : (await readVersion(app, shown)).manifest.evaluation
    return {
      ...summary,
      active_version: active ?? null,
      latest_version: latest ?? null,
      versions: versions.filter(number => !removed.has(number)).length,
      state: lifecycle === 'active' && active === undefined ? 'draft' : lifecycle,
      score: evaluation ? scoreAtBirth(evaluation) : null,
    }
  } catch (error) {
    if (!(error instanceof LoopaiError) && !isFileError(error)) throw error
    const fix = error instanceof LoopaiError ? error.hint : undefined
    return { ...summary, state: 'broken', problem: error.message, ...(fix && { fix }) }
  }
}
