import path from 'node:path'

/** Where things are in a data directory. Every other file asks here; `docs/formats.md` describes it for readers. */
export function layout(root: string) {
  return {
    root,
    marker: path.join(root, 'loopai.yaml'),
    attributes: path.join(root, '.gitattributes'),
    ignore: path.join(root, '.gitignore'),
    apps: path.join(root, 'loop-apps'),
    app: (id: string) => appLayout(path.join(root, 'loop-apps', id)),
  }
}

export function appLayout(directory: string) {
  // Not path.join, which would look at the directory anew for each of them, for each of thousands of apps.
  const below = (...names: string[]) => [directory, ...names].join(path.sep)
  return {
    directory,
    config: below('config.yaml'),
    history: below('history.jsonl'),
    cases: below('tests', 'cases.jsonl'),
    artifacts: below('artifacts'),
    active: below('artifacts', 'active'),
    version: (number: number) => below('artifacts', `v${number}`),
    draft: below('draft'),
    examples: below('datasets', 'examples'),
    executions: below('datasets', 'executions'),
    validations: below('datasets', 'validations'),
  }
}

export type AppLayout = ReturnType<typeof appLayout>

/** Version number of a folder's name, e.g. 3 for `v3`. */
export function versionOfName(name: string): number | undefined {
  const match = /^v([1-9][0-9]{0,8})$/.exec(name)
  return match ? Number(match[1]) : undefined
}
