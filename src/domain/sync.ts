import { type HistoryEntry, isFlip } from './history.ts'

/** An app as one commit has it. */
export interface AppState {
  /** Digest by number. */
  versions: Map<number, string>
  active: number | null
  history: HistoryEntry[]
}

export interface SyncPlan {
  loop_app_id: string
  /** Versions of ours whose number upstream has given to another program. */
  renumbered: { from: number; to: number; digest: string }[]
  /** Numbers that both sides gave to the same program: upstream's manifest stays. */
  shared: number[]
  active: number | null
  /** Ours, when upstream's pointer won over it: by its number after the merge. */
  not_promoted: number | null
  history: HistoryEntry[]
}

/**
 * How an app that both sides changed becomes one: upstream keeps its numbers, ours that collide get the next ones, the histories are
 * united, and upstream wins the pointer when both moved it. `next` is a number that nobody has used.
 */
export function planSync(
  loop_app_id: string,
  { base, ours, theirs, next }: { base: AppState; ours: AppState; theirs: AppState; next: number },
): SyncPlan {
  const made = [...ours.versions].filter(([number]) => !base.versions.has(number)).sort(([a], [b]) => a - b)
  const both = made.filter(([number]) => theirs.versions.has(number))
  const renumbered = both
    .filter(([number, digest]) => theirs.versions.get(number) !== digest)
    .map(([from, digest], i) => ({ from, to: next + i, digest }))
  const shared = both
    .map(([number]) => number)
    .filter(number => !renumbered.some(({ from }) => from === number))

  const now = new Map(renumbered.map(({ from, to }) => [from, to]))
  const wanted = ours.active === null ? null : (now.get(ours.active) ?? ours.active)
  const [weMoved, theyMoved] = [ours.active !== base.active, theirs.active !== base.active]
  const active = theyMoved || !weMoved ? theirs.active : wanted
  const isOverruled = weMoved && active !== wanted

  const known = new Set([...base.history, ...theirs.history].map(({ id }) => id))
  const own = ours.history
    .filter(({ id }) => !known.has(id))
    .map(entry => renumber(entry, renumbered))
    .map(entry => (isOverruled && isFlip(entry) ? { ...entry, overruled: true as const } : entry))
  const history = [...theirs.history, ...own].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { loop_app_id, renumbered, shared, active, not_promoted: isOverruled ? wanted : null, history }
}

/** A line of ours that speaks of a version by its former number. The digest tells whether it means ours. */
function renumber(entry: HistoryEntry, renumbered: SyncPlan['renumbered']): HistoryEntry {
  const move = (number: number | null, digest: string | null | undefined) =>
    renumbered.find(({ from, digest: moved }) => from === number && moved === digest)?.to ?? number
  return {
    ...entry,
    from: move(entry.from, entry.from_digest),
    to: move(entry.to, entry.to_digest),
    evidence: entry.evidence && renumberEvidence(entry.evidence, renumbered),
  }
}

function renumberEvidence(evidence: Record<string, unknown>, renumbered: SyncPlan['renumbered']) {
  return Object.fromEntries(
    Object.entries(evidence).map(([key, value]) => {
      const named = value as { version?: unknown; digest?: unknown } | null
      const moved = renumbered.find(
        ({ from, digest }) =>
          from === named?.version && typeof named.digest === 'string' && digest.startsWith(named.digest),
      )
      return [key, moved ? { ...named, version: moved.to } : value]
    }),
  )
}
