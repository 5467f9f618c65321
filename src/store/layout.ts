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
  const artifacts = path.join(directory, 'artifacts')
  const datasets = path.join(directory, 'datasets')
  return {
    directory,
    config: path.join(directory, 'config.yaml'),
    history: path.join(directory, 'history.jsonl'),
    cases: path.join(directory, 'tests', 'cases.jsonl'),
    artifacts,
    active: path.join(artifacts, 'active'),
    version: (number: number) => path.join(artifacts, `v${number}`),
    draft: path.join(directory, 'draft'),
    examples: path.join(datasets, 'examples'),
    executions: path.join(datasets, 'executions'),
    validations: path.join(datasets, 'validations'),
  }
}

export type AppLayout = ReturnType<typeof appLayout>

/** Version number of a folder's name, e.g. 3 for `v3`. */
export function versionOfName(name: string): number | undefined {
  const match = /^v([1-9][0-9]{0,8})$/.exec(name)
  return match ? Number(match[1]) : undefined
}
