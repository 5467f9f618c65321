import { isDeepStrictEqual } from 'node:util'
import type { HistoryEntry } from './history.ts'
import type { Manifest } from './version.ts'

/** Something that is not as it should be: one sentence, and one thing to do about it. */
export interface Finding {
  kind: FindingKind
  loop_app_id: string | null
  message: string
  fix: string
}

export type FindingKind =
  | 'config'
  | 'rows'
  | 'history'
  | 'active'
  | 'version'
  | 'edited'
  | 'collision'
  | 'tracked'
  | 'environment'
  | 'git'
  | 'rules'
  | 'leftover'
  | 'records'
  | 'link'

/** A file that is not as it was in the base: its path in the data directory. */
export interface ChangedFile {
  path: string
  change: 'added' | 'modified' | 'deleted'
}

const IN_VERSION = /^loop-apps\/([^/]+)\/artifacts\/v([1-9]\d*)\/(.+)$/

/** Versions that the base has are immutable: nothing in them is changed, but for a removal that leaves a tombstone. */
export function editedVersions(
  changes: ChangedFile[],
  before: (app: string, version: number) => Manifest | undefined,
  after: (app: string, version: number) => Manifest | undefined,
): Finding[] {
  const touched = new Map<string, { app: string; version: number; files: ChangedFile[] }>()
  for (const change of changes) {
    const [, app, version] = IN_VERSION.exec(change.path) ?? []
    if (!app) continue
    const key = `${app}@v${version}`
    const known = touched.get(key) ?? { app, version: Number(version), files: [] }
    touched.set(key, { ...known, files: [...known.files, change] })
  }
  return [...touched.values()].flatMap(({ app, version, files }) => {
    const old = before(app, version)
    const now = after(app, version)
    if (!old || (now && isTombstone(old, now))) return []
    return editedVersion(app, version, files, now !== undefined)
  })
}

/** The same manifest with the note that it was removed. What was removed does not come back. */
function isTombstone(before: Manifest, after: Manifest): boolean {
  const { removed, ...rest } = after
  return removed !== undefined && before.removed === undefined && isDeepStrictEqual(rest, { ...before })
}

function editedVersion(app: string, version: number, files: ChangedFile[], isThere: boolean): Finding {
  if (!isThere) {
    return {
      kind: 'edited',
      loop_app_id: app,
      message: `v${version} of ${app} was deleted`,
      fix: `restore it from git, and take it away with: loopai remove ${app}@v${version}`,
    }
  }
  const names = files.map(({ path, change }) => `${IN_VERSION.exec(path)![3]} was ${change}`)
  return {
    kind: 'edited',
    loop_app_id: app,
    message: `v${version} of ${app} is immutable, but ${shorten(names)}`,
    fix: `restore it from git, and register the change as a new version: loopai add ${app} <folder>`,
  }
}

/** Numbers that mean one thing here and another there. */
export function collisions(
  app: string,
  here: Map<number, string>,
  there: Map<number, string>,
  where: string,
): Finding[] {
  return [...here].flatMap(([version, digest]): Finding[] => {
    const other = there.get(version)
    if (other === undefined || other === digest) return []
    return [
      {
        kind: 'collision',
        loop_app_id: app,
        message: `v${version} of ${app} is another program ${where} (${other.slice(0, 19)}) than here (${digest.slice(0, 19)})`,
        fix: 'give ours the next number with: loopai sync --pull',
      },
    ]
  })
}

/** Digests by number, as the history has them. */
export function digestsOf(history: HistoryEntry[]): Map<number, string> {
  const known = new Map<number, string>()
  for (const { from, from_digest, to, to_digest } of history) {
    if (from !== null && from_digest) known.set(from, from_digest)
    if (to !== null && to_digest) known.set(to, to_digest)
  }
  return known
}

/** A history only grows. */
export function lostLines(app: string, before: string[], after: string[]): Finding[] {
  const present = new Set(after)
  const lost = before.filter(line => line.trim() !== '' && !present.has(line))
  if (lost.length === 0) return []
  const lines = lost.length === 1 ? 'a line' : `${lost.length} lines`
  const was = lost.length === 1 ? 'was' : 'were'
  return [
    {
      kind: 'history',
      loop_app_id: app,
      message: `${lines} of the history of ${app} ${was} changed or taken away`,
      fix: `restore what the base has in loop-apps/${app}/history.jsonl; lines are only ever added`,
    },
  ]
}

const IN_APP = /^loop-apps\/([^/]+)\/(?:(draft)\/|datasets\/([^/]+))/

/** What git tracks of drafts and of datasets that `datasets.track` does not name. `git` is what to type to run it in the data directory. */
export function trackedAgainstRules(
  tracked: string[],
  trackOf: (app: string) => string[],
  git: string,
): Finding[] {
  const found = new Map<string, { app: string; kind: string; files: string[] }>()
  for (const path of tracked) {
    const [, app, draft, dataset] = IN_APP.exec(path) ?? []
    const kind = draft ?? dataset
    if (!app || !kind || (!draft && trackOf(app).includes(kind))) continue
    const known = found.get(`${app}/${kind}`) ?? { app, kind, files: [] }
    known.files.push(path)
    found.set(`${app}/${kind}`, known)
  }
  return [...found.values()].map(({ app, kind, files }) => {
    const folder = kind === 'draft' ? 'draft' : `datasets/${kind}`
    return {
      kind: 'tracked',
      loop_app_id: app,
      message: `git tracks ${shorten(files)}, which ${kind === 'draft' ? 'is a draft' : 'datasets.track does not allow'}`,
      fix: `${git} rm -r --cached loop-apps/${app}/${folder}${kind === 'draft' ? '' : `   or name ${kind} in datasets.track`}`,
    }
  })
}

export function shorten(names: string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}
