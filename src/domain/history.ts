import { historyEntry as validateEntry } from './compiled/validators.js'
import { isObject } from './json.ts'

/** One change of an app's active pointer, of its lifecycle, or of a version's mark: a line of `history.jsonl`. */
export interface HistoryEntry {
  id: string
  at: string
  op:
    | 'promote'
    | 'rollback'
    | 'canary-start'
    | 'canary-step'
    | 'canary-end'
    | 'pause'
    | 'resume'
    | 'archive'
    | 'mark'
    | 'remove'
  from: number | null
  to: number | null
  from_digest?: string | null
  to_digest?: string | null
  by: string
  via: 'cli' | 'ci' | 'serve' | 'canary'
  reason: string | null
  evidence: Record<string, unknown> | null
  forced: boolean
  /** Judgement on the version that a rollback leaves, or that a mark names in `to`. `good` takes a former one back. */
  mark?: Mark
  hold?: boolean
  /** A flip of a clone whose pointer a merge gave up: upstream had another one. */
  overruled?: true
}

export type Mark = 'bad' | 'good' | 'deprecated'

export type VersionStatus = 'removed' | 'bad' | 'active' | 'deprecated' | 'testing' | 'draft'

export function isHistoryEntry(value: unknown): value is HistoryEntry {
  return validateEntry(value)
}

/** Marks by version, the last judgement counts. To promote a bad version against the gate, with a reason, is one too. */
export function marks(history: HistoryEntry[]): Map<number, Mark> {
  const found = new Map<number, Mark>()
  for (const entry of history) {
    const judged = entry.op === 'rollback' ? entry.from : entry.to
    if (entry.mark && judged !== null) found.set(judged, entry.mark)
    const isOverruled = entry.op === 'promote' && entry.forced && !entry.overruled
    if (isOverruled && judged !== null && found.get(judged) === 'bad') found.delete(judged)
  }
  return found
}

/**
 * Status of a version, the first that applies: removed, bad (marked), active (the link), deprecated (was active, or marked so), testing (newer
 * than the active one), draft.
 */
export function statusOf(
  version: number,
  active: number | undefined,
  history: HistoryEntry[],
): VersionStatus {
  if (removedVersions(history).has(version)) return 'removed'
  const mark = marks(history).get(version)
  if (mark === 'bad') return 'bad'
  if (version === active) return 'active'
  const wasActive = history.some(entry => isFlip(entry) && entry.to === version)
  if (mark === 'deprecated' || wasActive) return 'deprecated'
  return active === undefined || version > active ? 'testing' : 'draft'
}

export type Lifecycle = 'active' | 'paused' | 'archived'

/** What the last `pause`, `resume` or `archive` made of an app. */
export function lifecycleOf(history: HistoryEntry[]): Lifecycle {
  const last = history.findLast(entry => entry.op in LIFECYCLES)
  return last ? LIFECYCLES[last.op as keyof typeof LIFECYCLES] : 'active'
}

/** What an app was at some time. */
export interface Moment {
  version: number | null
  digest: string | null
  state: Lifecycle
  /** Since when, by whom and why that version was active. */
  since: string | null
  by: string | null
  reason: string | null
}

export function momentOf(history: HistoryEntry[], at: Date): Moment {
  const before = history.filter(entry => new Date(entry.at) <= at)
  const flip = before.findLast(isFlip)
  return {
    version: flip?.to ?? null,
    digest: flip?.to_digest ?? null,
    state: lifecycleOf(before),
    since: flip?.at ?? null,
    by: flip?.by ?? null,
    reason: flip?.reason ?? null,
  }
}

/** Whether only a person may promote: since a rollback, until somebody promotes or resumes. */
export function isHeld(history: HistoryEntry[]): boolean {
  const last = history.findLast(
    entry => entry.hold !== undefined || entry.op === 'resume' || isByPerson(entry),
  )
  return last?.hold === true
}

/** Versions whose files were taken away. */
export function removedVersions(history: HistoryEntry[]): Set<number> {
  return new Set(history.flatMap(({ op, to }) => (op === 'remove' && to !== null ? [to] : [])))
}

/** What a version is needed for, as a part of a sentence; a version that is needed for nothing may be removed. */
export function needOf(
  version: number,
  active: number | undefined,
  history: HistoryEntry[],
): string | undefined {
  if (version === active) return 'it is active'
  const removed = removedVersions(history)
  if (active !== undefined && predecessor(history, active, () => true) === version) {
    return `a rollback of v${active} would go back to it`
  }
  const judged = history.find(
    ({ to, evidence }) =>
      to !== null && to !== version && !removed.has(to) && namesOf(evidence).includes(version),
  )
  return judged && `v${judged.to} was judged against it`
}

const LIFECYCLES = { pause: 'paused', resume: 'active', archive: 'archived' } as const

/** Versions that were looked at for a decision. */
function namesOf(evidence: HistoryEntry['evidence']): unknown[] {
  return Object.values(evidence ?? {}).map(one => (isObject(one) ? one.version : undefined))
}

function isByPerson({ op, via }: HistoryEntry): boolean {
  return op === 'promote' && (via === 'cli' || via === 'ci')
}

export function isFlip(entry: HistoryEntry): boolean {
  return (entry.op === 'promote' || entry.op === 'rollback') && !entry.overruled
}

/**
 * The version that was active before the present one: what the flips leave when each rollback undoes the promotion it answers.
 * Versions that are marked bad or removed, and those that `exists` denies, are walked past.
 */
export function predecessor(
  history: HistoryEntry[],
  active: number,
  exists: (version: number) => boolean,
): number | undefined {
  const judged = marks(history)
  const removed = removedVersions(history)
  const stack: number[] = []
  for (const entry of history.filter(isFlip)) {
    if (entry.to === null) continue
    const seen = stack.lastIndexOf(entry.to)
    if (entry.op === 'rollback' && seen >= 0) stack.length = seen
    stack.push(entry.to)
  }
  if (stack.at(-1) === active) stack.pop()
  return stack.findLast(
    version =>
      version !== active && judged.get(version) !== 'bad' && !removed.has(version) && exists(version),
  )
}
