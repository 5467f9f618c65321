import type { Workspace } from '../../src/actions/workspace.ts'
import { USER_ENV } from './repository.ts'

/** A workspace in a folder, with a person's git identity. What it is told is kept. */
export function workspaceIn(dir: string): Workspace & { told: string[] } {
  const told: string[] = []
  return {
    dir,
    cwd: dir,
    env: { ...USER_ENV },
    now: () => new Date(),
    report: sentence => told.push(sentence),
    progress: () => {},
    signal: new AbortController().signal,
    told,
  }
}
