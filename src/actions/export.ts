import path from 'node:path'
import type { ArchiveTable } from '../domain/archive.ts'
import type { VersionFile } from '../domain/version.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { tableOf, writeArchive } from '../store/archive.ts'
import {
  listVersions,
  readFiles,
  readVersion,
  resolveVersion,
  verifyTombstone,
  verifyVersion,
} from '../store/versions.ts'
import { openAddress } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface ExportRequest {
  /** `app`, or `app@version` for one version alone. */
  address: string
  /** Default: `<app>.tgz` or `<app>-v3.tgz` here. */
  output?: string | undefined
  /** With executions, validations and what is derived of them. */
  withDatasets?: boolean | undefined
}

export interface Exported {
  loop_app_id: string
  version: number | null
  path: string
  files: number
  bytes: number
}

/** Puts an app, or one version with what it is judged by, into one archive. */
export async function exportApp(workspace: Workspace, request: ExportRequest): Promise<Exported> {
  const { app, address } = await openAddress(workspace, request.address)
  const chosen = address.version && (await resolveVersion(app, address.version))
  const versions = chosen
    ? [chosen]
    : await Promise.all((await listVersions(app)).map(number => readVersion(app, number)))
  for (const version of versions) {
    await (version.manifest.removed && !chosen ? verifyTombstone(app, version) : verifyVersion(app, version))
  }
  const numbers = new Set(versions.map(({ number }) => number))
  const files = await filesOf(app, place => isWanted(place, numbers, !chosen, Boolean(request.withDatasets)))
  const table: ArchiveTable = {
    format: 1,
    loop_app_id: app.id,
    version: chosen?.number ?? null,
    active: chosen ? null : ((await findActive(app)) ?? null),
    loopai: LOOPAI_VERSION,
    files: tableOf(files),
  }
  const name = chosen ? `${app.id}-v${chosen.number}.tgz` : `${app.id}.tgz`
  const output = path.resolve(workspace.cwd, request.output ?? name)
  const { bytes } = await writeArchive(output, app.paths.directory, table)
  return { loop_app_id: app.id, version: table.version, path: output, files: files.length, bytes }
}

/** Folder by folder, so that the link to the active version is not met. */
async function filesOf(app: LoopApp, isWanted: (place: string) => boolean): Promise<VersionFile[]> {
  const tops = [
    '.',
    'tests',
    'datasets/examples',
    'datasets/executions',
    'datasets/validations',
    'datasets/analytics',
  ]
  const versions = (await listVersions(app)).map(number => `artifacts/v${number}`)
  const found: VersionFile[] = []
  for (const folder of [...tops, ...versions].filter(folder => folder === '.' || isWanted(`${folder}/`))) {
    const files = await readFiles(path.join(app.paths.directory, folder), { deep: folder !== '.' }).catch(
      ifMissing,
    )
    found.push(...files.map(file => ({ ...file, path: path.posix.join(folder, file.path) })))
  }
  return found.filter(file => isWanted(file.path))
}

function ifMissing(error: NodeJS.ErrnoException): VersionFile[] {
  if (error.code === 'ENOENT') return []
  throw error
}

function isWanted(place: string, versions: Set<number>, whole: boolean, withDatasets: boolean): boolean {
  if (place === 'config.yaml' || /^tests\/([^/]+\.jsonl)?$/.test(place)) return true
  if (place === 'history.jsonl') return whole
  if (/^datasets\/examples\/([^/]+\.jsonl)?$/.test(place)) return true
  if (place.startsWith('datasets/')) return whole && withDatasets
  const [, number] = /^artifacts\/v(\d+)\//.exec(place) ?? []
  return versions.has(Number(number))
}
