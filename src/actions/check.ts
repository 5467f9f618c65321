import { LoopaiError } from '../domain/errors.ts'
import {
  collisions,
  editedVersions,
  type Finding,
  lostLines,
  trackedAgainstRules,
} from '../domain/finding.ts'
import type { Manifest } from '../domain/version.ts'
import { type Base, findCommitted, findCommittedManifest, listTracked, readBase } from '../store/base.ts'
import { findRepository, openRepository, type Repository } from '../store/git.ts'
import type { Operation } from '../store/git-state.ts'
import { gitIn } from '../store/git-words.ts'
import { readHistoryLines } from '../store/history.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import { findingOf, type Inspected, inspectApp, lostHistoryFindings, readApps } from './inspect-app.ts'
import { mergeFindings } from './merge-findings.ts'
import type { Workspace } from './workspace.ts'

export interface Checked {
  outcome: 'pass' | 'fail'
  base: string | null
  apps: number
  versions: number
  findings: Finding[]
}

/** What runs a command on each commit, for which `check` is a good one. */
const RUNNING_US: Operation[] = ['bisect', 'rebase']

/** The gate for pull requests: looks at everything, compares it with a base, and runs no program. */
export async function check(
  workspace: Workspace,
  { base: ref }: { base?: string | undefined },
): Promise<Checked> {
  let data: DataDirectory
  try {
    data = await openDataDirectory(workspace)
  } catch (error) {
    if (!(error instanceof LoopaiError) || !/^(INVALID_|CONFLICT|INTEGRITY)/.test(error.code)) throw error
    const findings = [findingOf('config', null, error)]
    return { outcome: 'fail', base: ref ?? null, apps: 0, versions: 0, findings }
  }
  const repository = ref === undefined ? await findRepository(data.root) : await openRepository(data.root)
  const base = ref === undefined ? undefined : await readBase(repository!, ref)
  if (base?.isShallow) {
    workspace.report(`this clone is too shallow to tell where it left ${ref}: compared with ${ref} itself`)
  }
  const apps: Inspected[] = []
  const opened = await readApps(data)
  for (const app of opened.apps) apps.push(await inspectApp(data, app, { deep: true }))
  const found = [...opened.findings, ...apps.flatMap(app => app.findings)]
  const findings = [
    ...found,
    ...(repository ? await lostHistoryFindings(repository, opened.apps) : []),
    ...(repository ? await mergeFindings(repository, found, RUNNING_US) : []),
    ...(repository ? await trackingFindings(data, repository, apps) : []),
    ...(base ? await baseFindings(repository!, base, apps) : []),
  ]
  return {
    outcome: findings.length === 0 ? 'pass' : 'fail',
    base: ref ?? null,
    apps: apps.length,
    versions: apps.reduce((sum, app) => sum + app.versions.length, 0),
    findings,
  }
}

async function trackingFindings(
  data: DataDirectory,
  repository: Repository,
  apps: Inspected[],
): Promise<Finding[]> {
  const rules = new Map(apps.map(({ app, config }) => [app.id, config?.datasets.track ?? ['examples']]))
  const trackOf = (id: string) => rules.get(id) ?? ['examples']
  return trackedAgainstRules(await listTracked(repository), trackOf, gitIn(data.root))
}

async function baseFindings(repository: Repository, base: Base, apps: Inspected[]): Promise<Finding[]> {
  const now = new Map(apps.map(one => [one.app.id, one]))
  const before = await manifestsOf(repository, base.fork, touchedManifests(base))
  const edited = editedVersions(
    base.changes,
    (app, version) => before.get(`loop-apps/${app}/artifacts/v${version}/manifest.json`),
    (app, version) => now.get(app)?.versions.find(({ number }) => number === version)?.manifest,
  )
  const theirs = await manifestsOf(repository, base.ref, base.newManifests)
  const taken = apps.flatMap(({ app, versions }) => {
    const ofApp = [...theirs.values()].filter(({ loop_app_id }) => loop_app_id === app.id)
    const there = new Map(ofApp.map(({ version, digest }) => [version, digest]))
    const here = new Map(versions.map(({ number, manifest }) => [number, manifest.digest]))
    return collisions(app.id, here, there, `in ${base.ref}`)
  })
  return [...edited, ...taken, ...(await lostHistory(repository, base, apps))]
}

function touchedManifests({ changes }: Base): string[] {
  const folders = changes.map(({ path }) => /^(loop-apps\/[^/]+\/artifacts\/v\d+)\//.exec(path)?.[1])
  return [...new Set(folders.filter(folder => folder !== undefined))].map(folder => `${folder}/manifest.json`)
}

async function manifestsOf(
  repository: Repository,
  commit: string,
  paths: string[],
): Promise<Map<string, Manifest>> {
  const found = new Map<string, Manifest>()
  for (const path of paths) {
    const manifest = await findCommittedManifest(repository, commit, path)
    if (manifest) found.set(path, manifest)
  }
  return found
}

async function lostHistory(
  repository: Repository,
  { changes, fork }: Base,
  apps: Inspected[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { path } of changes) {
    const [, id] = /^loop-apps\/([^/]+)\/history\.jsonl$/.exec(path) ?? []
    const one = apps.find(({ app }) => app.id === id)
    const before = id && (await findCommitted(repository, fork, path))
    if (!before) continue
    findings.push(...lostLines(id, before.split('\n'), await linesOf(one)))
  }
  return findings
}

/** A history that cannot be read is a finding already, and has none. */
async function linesOf(one: Inspected | undefined): Promise<string[]> {
  return one ? readHistoryLines(one.app).catch(() => []) : []
}
