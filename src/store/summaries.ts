import { lstatSync, type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '../domain/sha256.ts'
import { LOOPAI_VERSION } from '../package.ts'
import type { LoopApp } from './apps.ts'
import { cacheFact, findFact } from './cache.ts'
import { type Appearance, SETTLED_MS } from './verified.ts'

/** What was found out about an app, and what the app looked like then. */
export interface Summary<Value> {
  appearance: string
  value: Value
}

/** What an app looks like from outside, for three `stat`s: versions and the active link come and go by renames, the history by replacement. */
export function appearanceOfApp({ paths }: LoopApp): Appearance {
  const stats = [paths.artifacts, paths.history].map(place => statSync(place, { throwIfNoEntry: false }))
  const newest = Math.max(...stats.map(stat => stat?.ctimeMs ?? 0))
  // What a link leads to may be the very folder that was there before.
  const link = lstatSync(paths.directory, { throwIfNoEntry: false })?.isSymbolicLink() ? 'link ' : ''
  return { text: link + stats.map(describe).join(' '), isSettled: Date.now() - newest > SETTLED_MS }
}

/** Summaries of a data directory's apps by id, as this version of Loopai has kept them on this machine. */
export function findSummaries<Value>(root: string): Record<string, Summary<Value>> {
  return (findFact(factName(root), LOOPAI_VERSION) ?? {}) as Record<string, Summary<Value>>
}

export function rememberSummaries<Value>(root: string, summaries: Record<string, Summary<Value>>): void {
  cacheFact(factName(root), LOOPAI_VERSION, summaries)
}

function describe(stat: Stats | undefined): string {
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : '-'
}

function factName(root: string): string {
  return path.join('summaries', sha256(root).slice(0, 32))
}
