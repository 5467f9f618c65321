import { isFileError, LoopaiError } from '../domain/errors.ts'
import { scoreAtBirth } from '../domain/evaluation.ts'
import { lifecycleOf, removedVersions } from '../domain/history.ts'
import type { Score } from '../domain/scorecard.ts'
import { peekActive } from '../store/active.ts'
import { type LoopApp, listAppFolders } from '../store/apps.ts'
import { numbersOf } from '../store/folders.ts'
import { readHistoryNow } from '../store/history.ts'
import { reachedThroughLink } from '../store/links.ts'
import { openDataDirectory } from '../store/root.ts'
import {
  appearanceOfApp,
  findSummaries,
  isSettledAt,
  type Looks,
  lookAt,
  rememberSummaries,
} from '../store/summaries.ts'
import { problemOfActive, readEvaluation } from '../store/versions.ts'
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
  const now = Date.now()
  // One after the other, and without promises: for thousands of small files, waiting costs more than reading.
  for (const { id, isLink } of await listAppFolders(data)) {
    const app = { id, paths: data.paths.app(id) }
    if (isLink) {
      listed.push(broken(id, [], reachedThroughLink(app.paths.directory)))
      continue
    }
    const looks: Looks = { artifacts: lookAt(app.paths.artifacts), history: undefined }
    const before = known[id]
    if (before) looks.history = lookAt(app.paths.history)
    if (before && before.appearance === appearanceOfApp(looks)) {
      kept[id] = before
      listed.push(before.value)
      continue
    }
    isNews = true
    const value = summarize(app, looks)
    if (value.state !== 'broken' && isSettledAt(now, looks)) {
      kept[id] = { appearance: appearanceOfApp(looks), value }
    }
    listed.push(value)
  }
  if (isNews) rememberSummaries(data.root, kept)
  return listed
}

/** Keeps in `looks` what the history was like when it was read. */
function summarize(app: LoopApp, looks: Looks): ListedApp {
  const versions = numbersOf(app)
  try {
    const active = peekActive(app)
    looks.history = undefined
    const history = readHistoryNow(app, stat => {
      looks.history = stat
    })
    const trouble = problemOfActive(app, active, versions, history)
    if (trouble) throw trouble
    const lifecycle = lifecycleOf(history)
    const removed = removedVersions(history)
    const present = removed.size === 0 ? versions : versions.filter(number => !removed.has(number))
    const shown = active ?? present.at(-1)
    const evaluation = shown === undefined ? undefined : readEvaluation(app, shown)
    return {
      loop_app_id: app.id,
      active_version: active ?? null,
      latest_version: present.at(-1) ?? null,
      versions: present.length,
      state: lifecycle === 'active' && active === undefined ? 'draft' : lifecycle,
      score: evaluation ? scoreAtBirth(evaluation) : null,
    }
  } catch (error) {
    if (!(error instanceof LoopaiError) && !isFileError(error)) throw error
    return broken(app.id, versions, error)
  }
}

function broken(id: string, versions: number[], error: Error): ListedApp {
  const fix = error instanceof LoopaiError ? error.hint : undefined
  return {
    loop_app_id: id,
    active_version: null,
    latest_version: versions.at(-1) ?? null,
    versions: versions.length,
    state: 'broken',
    score: null,
    problem: error.message,
    ...(fix && { fix }),
  }
}
