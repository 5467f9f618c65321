import { parseId } from '../domain/address.ts'
import type { Config } from '../domain/config.ts'
import { isFileError, LoopaiError } from '../domain/errors.ts'
import { collisions, digestsOf, type Finding, type FindingKind, shorten } from '../domain/finding.ts'
import type { HistoryEntry } from '../domain/history.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, listApps, readApp, readConfig } from '../store/apps.ts'
import { findLostHistories } from '../store/base.ts'
import { readCases, readExamples } from '../store/examples.ts'
import { anotherActiveHint } from '../store/folders.ts'
import type { Repository } from '../store/git.ts'
import { lostHistory, readHistory } from '../store/history.ts'
import { findLinks } from '../store/links.ts'
import type { DataDirectory } from '../store/root.ts'
import { compileSchema } from '../store/schemas.ts'
import {
  compareFiles,
  listVersions,
  problemOfActive,
  readVersion,
  verifyTombstone,
  verifyVersion,
} from '../store/versions.ts'
import { checkLock } from './environments.ts'

export interface Inspected {
  app: LoopApp
  /** Absent when it is invalid. */
  config: Config | undefined
  /** Those whose manifests can be read. */
  versions: Version[]
  findings: Finding[]
}

/** All apps, and as findings those that cannot be opened. */
export async function readApps(data: DataDirectory): Promise<{ apps: LoopApp[]; findings: Finding[] }> {
  const apps: LoopApp[] = []
  const findings: Finding[] = []
  for (const id of await listApps(data)) {
    try {
      apps.push(await readApp(data, id))
    } catch (error) {
      findings.push(findingOf('config', id, error))
    }
  }
  return { apps, findings }
}

/** Looks at everything an app consists of, and runs nothing of it. With `deep: false` the files of a version that were proven before are only looked at. */
export async function inspectApp(
  data: DataDirectory,
  app: LoopApp,
  { deep }: { deep: boolean },
): Promise<Inspected> {
  const { id } = app
  const findings: Finding[] = []
  const attempt = async <Value>(
    kind: FindingKind,
    look: () => Promise<Value>,
  ): Promise<Value | undefined> => {
    try {
      return await look()
    } catch (error) {
      findings.push(findingOf(kind, id, error))
      return undefined
    }
  }
  await attempt('config', async () => parseId(id))
  const config = await attempt('config', () => readConfig(data, app))
  if (config) {
    await attempt('config', () => compileSchema(config.input_schema, `input_schema of ${id}`))
    await attempt('config', () => compileSchema(config.output_schema, `output_schema of ${id}`))
  }
  await attempt('rows', () => readCases(app))
  await attempt('rows', () => readExamples(app))
  const history = (await attempt('history', () => readHistory(app))) ?? []

  const versions: Version[] = []
  for (const number of await listVersions(app)) {
    const version = await attempt('version', () => readVersion(app, number))
    if (version) versions.push(version)
  }
  const link = await attempt('active', async () => ({ active: await findActive(app) }))
  const active = link?.active
  const numbers = await listVersions(app)
  if (link) findings.push(...activeFindings(app, active, versions, { numbers, history }))
  for (const version of versions) {
    const verify = version.manifest.removed ? verifyTombstone : deep ? compareFiles : verifyVersion
    await attempt('version', () => verify(app, version))
    await attempt('version', () => checkLock(version))
  }
  findings.push(...historyFindings(app, versions, history))
  findings.push(...linkFindings(app, await findLinks(app)))
  return { app, config, versions, findings }
}

/** Histories that git has and that are not there: an app without one could be new. */
export async function lostHistoryFindings(repository: Repository, apps: LoopApp[]): Promise<Finding[]> {
  const lost = await findLostHistories(repository, apps)
  return lost.map(app => findingOf('history', app.id, lostHistory(app)))
}

/** A refusal, of ours or of the file system, as a finding; anything else is a bug. */
export function findingOf(kind: FindingKind, loop_app_id: string | null, error: unknown): Finding {
  if (!(error instanceof LoopaiError) && !isFileError(error)) throw error
  const { hint, details = {} } = error instanceof LoopaiError ? error : {}
  return {
    kind: 'link' in details ? 'link' : kind,
    loop_app_id,
    message: error.message,
    fix: hint ?? 'restore it from git',
  }
}

function activeFindings(
  app: LoopApp,
  active: number | undefined,
  versions: Version[],
  { numbers, history }: { numbers: number[]; history: HistoryEntry[] },
): Finding[] {
  const { id } = app
  const problem = problemOfActive(app, active, numbers, history)
  if (problem) return [findingOf('active', id, problem)]
  const isRemoved = versions.find(({ number }) => number === active)?.manifest.removed
  if (!isRemoved) return []
  const message = `active of ${id} points at v${active}, which was removed`
  return [{ kind: 'active', loop_app_id: id, message, fix: anotherActiveHint(app) }]
}

function linkFindings({ id }: LoopApp, links: string[]): Finding[] {
  if (links.length === 0) return []
  const message = `${id} has symbolic links beside the active one: ${shorten(links)}`
  return [{ kind: 'link', loop_app_id: id, message, fix: 'put the files or folders themselves there' }]
}

/** The history knows digests too: a number that means something else now was used twice. */
function historyFindings({ id }: LoopApp, versions: Version[], history: HistoryEntry[]): Finding[] {
  const here = new Map(versions.map(({ number, manifest }) => [number, manifest.digest]))
  return collisions(id, here, digestsOf(history), 'in its history')
}
