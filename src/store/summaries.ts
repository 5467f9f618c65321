import { type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../domain/sha256.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { cacheFact, findFact } from './cache.ts'
import { SETTLED_MS } from './verified.ts'

/** What was found out about an app, and what the app looked like then. */
export interface Summary<Value> {
  appearance: string
  value: Value
}

/** Versions and the active link come and go by renames in the one, the history by replacement of the other. */
export interface Looks {
  artifacts: Stats | undefined
  history: Stats | undefined
}

/** What a file or folder of an app looks like from outside; nothing when it is not there. */
export function lookAt(place: string): Stats | undefined {
  return statSync(place, { throwIfNoEntry: false })
}

export function appearanceOfApp({ artifacts, history }: Looks): string {
  return `${describe(artifacts)} ${describe(history)}`
}

/** False while it may still change without showing it. */
export function isSettledAt(now: number, { artifacts, history }: Looks): boolean {
  return now - Math.max(artifacts?.ctimeMs ?? 0, history?.ctimeMs ?? 0) > SETTLED_MS
}

/** Summaries of a data directory's apps by id, as this version of Loopai has kept them on this machine. */
export function findSummaries<Value>(root: string): Record<string, Summary<Value>> {
  return (findFact(factName(root), LOOPAI_VERSION) ?? {}) as Record<string, Summary<Value>>
}

export function rememberSummaries<Value>(root: string, summaries: Record<string, Summary<Value>>): void {
  cacheFact(factName(root), LOOPAI_VERSION, summaries)
}

/** Whatever is done to a file shows in the time of its last change, which nobody can set. */
function describe(stat: Stats | undefined): string {
  return stat ? `${stat.ino}:${stat.ctimeMs}` : '-'
}

function factName(root: string): string {
  return path.join('summaries', sha256(root).slice(0, 32))
}
