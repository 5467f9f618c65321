/** What a change asks to be tested again. */
export interface ChangedApp {
  loop_app_id: string
  /** Versions that are new or were touched, ascending. */
  versions: number[]
  /** Whether what the active version is judged by, or which one it is, has changed. */
  judgedAnew: boolean
}

/** Groups changed paths (relative to the data directory) by app. What decides nothing, such as history, counts for nothing. */
export function groupChanges(paths: string[]): ChangedApp[] {
  const apps = new Map<string, { versions: Set<number>; judgedAnew: boolean }>()
  for (const path of paths) {
    const [, id, rest] = /^loop-apps\/([^/]+)\/(.+)$/.exec(path) ?? []
    if (id === undefined || rest === undefined) continue
    const version = /^artifacts\/v([1-9][0-9]{0,8})\//.exec(rest)?.[1]
    const judgedAnew = /^(artifacts\/active|config\.yaml|tests\/.*|datasets\/examples\/.*)$/.test(rest)
    if (!version && !judgedAnew) continue
    const app = apps.get(id) ?? { versions: new Set<number>(), judgedAnew: false }
    if (version) app.versions.add(Number(version))
    app.judgedAnew ||= judgedAnew
    apps.set(id, app)
  }
  return [...apps]
    .map(([id, app]) => ({
      loop_app_id: id,
      versions: [...app.versions].sort((a, b) => a - b),
      judgedAnew: app.judgedAnew,
    }))
    .sort((a, b) => (a.loop_app_id < b.loop_app_id ? -1 : 1))
}
