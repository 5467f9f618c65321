import { readdirSync } from 'node:fs'
import type { LoopApp } from './apps.ts'
import { gitIn } from './git-words.ts'
import { versionOfName } from './layout.ts'

/** Numbers of all versions, ascending, as the names of folders tell them. */
export function numbersOf(app: LoopApp): number[] {
  return namesIn(app.paths.artifacts)
    .map(versionOfName)
    .filter(number => number !== undefined)
    .sort((a, b) => a - b)
}

/** True when a version is there and was not removed: a removed one has its manifest and nothing else. */
export function isUsable(app: LoopApp, number: number): boolean {
  return namesIn(app.paths.version(number)).length > 1
}

/** How to come to a sound `active` link. */
export function anotherActiveHint(app: LoopApp): string {
  const latest = numbersOf(app).findLast(number => isUsable(app, number))
  const other =
    latest === undefined
      ? ''
      : `   or activate another version with: loopai rollback ${app.id} --to v${latest}`
  return `restore it with: ${gitIn(app.paths.directory)} checkout HEAD -- artifacts${other}`
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
