import path from 'node:path'

/** Where things are in a data directory. Every other file asks here; `docs/formats.md` describes it for readers. */
export function layout(root: string) {
  const apps = path.join(root, 'loop-apps')
  return {
    root,
    marker: path.join(root, 'loopai.yaml'),
    attributes: path.join(root, '.gitattributes'),
    ignore: path.join(root, '.gitignore'),
    apps,
    app: (id: string) => appLayout(apps + path.sep + id),
  }
}

/** Not path.join, which would look at the folder anew for each of them, for each of thousands of apps. */
const BELOW = {
  config: below('config.yaml'),
  history: below('history.jsonl'),
  cases: below('tests', 'cases.jsonl'),
  artifacts: below('artifacts'),
  active: below('artifacts', 'active'),
  version: below('artifacts', 'v'),
  draft: below('draft'),
  examples: below('datasets', 'examples'),
  executions: below('datasets', 'executions'),
  validations: below('datasets', 'validations'),
}

export function appLayout(directory: string) {
  return {
    directory,
    config: directory + BELOW.config,
    history: directory + BELOW.history,
    cases: directory + BELOW.cases,
    artifacts: directory + BELOW.artifacts,
    active: directory + BELOW.active,
    version: (number: number) => directory + BELOW.version + number,
    draft: directory + BELOW.draft,
    examples: directory + BELOW.examples,
    executions: directory + BELOW.executions,
    validations: directory + BELOW.validations,
  }
}

function below(...names: string[]): string {
  return ['', ...names].join(path.sep)
}

export type AppLayout = ReturnType<typeof appLayout>

/** Version number of a folder's name, e.g. 3 for `v3`. */
export function versionOfName(name: string): number | undefined {
  const match = /^v([1-9][0-9]{0,8})$/.exec(name)
  return match ? Number(match[1]) : undefined
}
