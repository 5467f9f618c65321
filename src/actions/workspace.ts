import type { Progress } from '../domain/draft.ts'
import type { Whereabouts } from '../store/root.ts'

/** What an action may know of the world around it. */
export interface Workspace extends Whereabouts {
  now: () => Date
  /** A sentence for the person who waits or should know: a notice, never the result. */
  report: (sentence: string) => void
  progress: (progress: Progress) => void
  signal: AbortSignal
  /** The reason given with `-m`. */
  message?: string | undefined
  /** False with `--no-commit`: files are written, git is left alone. */
  commit?: boolean | undefined
}

/** The world as this process sees it, and nobody to report to, but for what is given. */
export function createWorkspace(given: Partial<Workspace> = {}): Workspace {
  return {
    cwd: process.cwd(),
    env: process.env,
    now: () => new Date(),
    report: () => {},
    progress: () => {},
    signal: new AbortController().signal,
    ...given,
  }
}
