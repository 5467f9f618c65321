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
}
