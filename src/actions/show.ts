import { isDeepStrictEqual } from 'node:util'
import type { VersionSelector } from '../domain/address.ts'
import type { Config } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { scoreAtBirth, storedVerdicts } from '../domain/evaluation.ts'
import {
  type HistoryEntry,
  isHeld,
  type Lifecycle,
  lifecycleOf,
  statusOf,
  type VersionStatus,
} from '../domain/history.ts'
import type { Report } from '../domain/quality.ts'
import { type Comparison, compare, type Score } from '../domain/scorecard.ts'
import type { Evaluation, Manifest, Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, readConfig } from '../store/apps.ts'
import { readCases, readExamples } from '../store/examples.ts'
import { numbersOf } from '../store/folders.ts'
import { readHistory } from '../store/history.ts'
import { listVersions, readVersion, readVersionNow, resolveVersion } from '../store/versions.ts'
import { environmentOf } from './environments.ts'
import { openAddress } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface ShownVersion {
  version: number
  digest: string
  status: VersionStatus
  created_at: string
  created_by: string
  origin: Manifest['origin']
  score: Score | null
}

export interface ShownApp {
  loop_app_id: string
  name: string
  task: string
  path: string
  endpoint: string
  active_version: number | null
  state: Lifecycle
  /** True since a rollback: only a person may promote. */
  held: boolean
  examples: number
  cases: number
  versions: ShownVersion[]
  /** Versions of which nothing can be shown, and why. */
  broken: { version: number; problem: string; fix: string | null }[]
  /** Keys of config.yaml that say something else than the active version, which is what executions go by. */
  config_moved: string[]
  input_schema: Config['input_schema']
  output_schema: Config['output_schema']
  targets: Config['targets']
}

/** One version with all that its manifest knows of it. */
export interface ShownVersionInFull extends ShownVersion {
  loop_app_id: string
  path: string
  parent: number | null
  runtime: string
  entry: string
  files: Manifest['files']
  limits: Manifest['limits']
  isolation: Manifest['isolation']
  dependencies: Manifest['dependencies']
  /** What it imports beside the standard library, and whether this machine has it. */
  packages: { from: string; names: string[]; installed: boolean } | null
  input_schema: Manifest['input_schema']
  output_schema: Manifest['output_schema']
  cases: Evaluation['cases'] | null
  /** What its answers to rows that it had not seen told when it was made. */
  report: Report | null
  /** With the version that was active then, on the rows that both were judged on. */
  compared: (Comparison & { version: number }) | null
}

export type Shown = { app: ShownApp } | { version: ShownVersionInFull }

/** An app, or with `app@version` one version of it. */
export async function show(workspace: Workspace, address: string): Promise<Shown> {
  const { data, app, address: parsed } = await openAddress(workspace, address)
  if (parsed.version) {
    const [version, active, history] = await Promise.all([
      resolveShown(workspace, app, parsed.version),
      findActive(app),
      readHistory(app),
    ])
    const { manifest, directory } = version
    return {
      version: {
        loop_app_id: app.id,
        ...describe(manifest, active, history),
        path: directory,
        parent: manifest.parent,
        runtime: manifest.runtime,
        entry: manifest.entry,
        files: manifest.files,
        limits: manifest.limits,
        isolation: manifest.isolation,
        dependencies: manifest.dependencies,
        packages: await describePackages(version),
        input_schema: manifest.input_schema,
        output_schema: manifest.output_schema,
        cases: manifest.evaluation?.cases ?? null,
        report: manifest.evaluation?.report ?? null,
        compared: await compareWithParent(app, manifest),
      },
    }
  }
  return { app: await showApp(app, await readConfig(data, app)) }
}

async function showApp(app: LoopApp, config: Config): Promise<ShownApp> {
  const [active, history, numbers, examples, cases] = await Promise.all([
    findActive(app),
    readHistory(app),
    listVersions(app),
    readExamples(app),
    readCases(app),
  ])
  const found = numbers.map(number => tryVersion(app, number))
  const versions = found.flatMap(one => ('manifest' in one ? one : []))
  const current = versions.find(version => version.number === active)
  return {
    loop_app_id: app.id,
    name: config.name,
    task: config.task,
    path: app.paths.directory,
    endpoint: `/loop-apps/${app.id}/execute`,
    active_version: active ?? null,
    state: lifecycleOf(history),
    held: isHeld(history),
    examples: examples.reduce((sum, file) => sum + file.rows.length, 0),
    cases: cases.length,
    versions: versions.map(version => describe(version.manifest, active, history)),
    broken: found.flatMap(one => ('problem' in one ? one : [])),
    config_moved: current ? movedKeys(config, current.manifest) : [],
    input_schema: config.input_schema,
    output_schema: config.output_schema,
    targets: config.targets,
  }
}

function tryVersion(app: LoopApp, number: number): Version | ShownApp['broken'][number] {
  try {
    return readVersionNow(app, number)
  } catch (error) {
    if (!(error instanceof LoopaiError)) throw error
    return { version: number, problem: error.message, fix: error.hint ?? null }
  }
}

/** A newest version that is broken is told, and the one before it shown: nothing is done with what is only looked at. */
async function resolveShown(workspace: Workspace, app: LoopApp, selector: VersionSelector): Promise<Version> {
  try {
    return await resolveVersion(app, selector)
  } catch (error) {
    const isLatest = selector.by === 'name' && selector.name === 'latest'
    if (!isLatest || !(error instanceof LoopaiError) || error.code !== 'INTEGRITY') throw error
    const found = numbersOf(app).map(number => tryVersion(app, number))
    const newest = found.findLast((one): one is Version => 'manifest' in one && !one.manifest.removed)
    if (!newest) throw error
    workspace.report([error.message, error.hint].filter(Boolean).join('; '))
    return newest
  }
}

function describe(manifest: Manifest, active: number | undefined, history: HistoryEntry[]): ShownVersion {
  const { version, digest, created_at, created_by, origin, evaluation, removed } = manifest
  const status = removed ? 'removed' : statusOf(version, active, history)
  const score = evaluation ? scoreAtBirth(evaluation) : null
  return { version, digest, status, created_at, created_by, origin, score }
}

/** A lock that is broken is no reason to show nothing: whoever runs the version is told. */
async function describePackages(version: Version): Promise<ShownVersionInFull['packages']> {
  try {
    const state = await environmentOf(version)
    return state ? { from: state.from, names: state.packages, installed: state.isInstalled } : null
  } catch (error) {
    if (error instanceof LoopaiError) return null
    throw error
  }
}

async function compareWithParent(
  app: LoopApp,
  { parent, evaluation }: Manifest,
): Promise<ShownVersionInFull['compared']> {
  if (parent === null || !evaluation) return null
  try {
    const before = (await readVersion(app, parent)).manifest.evaluation
    return before ? { version: parent, ...compare(storedVerdicts(evaluation), storedVerdicts(before)) } : null
  } catch (error) {
    // A parent that is gone or broken is no reason to show nothing.
    if (error instanceof LoopaiError) return null
    throw error
  }
}

function movedKeys(config: Config, manifest: Manifest): string[] {
  const keys = ['input_schema', 'output_schema', 'limits', 'isolation'] as const
  return keys.filter(key => !isDeepStrictEqual(config[key], manifest[key]))
}
