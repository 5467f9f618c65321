import { rm } from 'node:fs/promises'
import path from 'node:path'
import { parseId } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Finding } from '../domain/finding.ts'
import { shortDigest, type Version } from '../domain/version.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, readApp } from '../store/apps.ts'
import { type Archive, readArchive } from '../store/archive.ts'
import { personOf } from '../store/identity.ts'
import { appLayout } from '../store/layout.ts'
import { nextNumber } from '../store/numbers.ts'
import { isThere } from '../store/placing.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import { stageFiles } from '../store/staged-app.ts'
import { completeVersion, findByDigest, stageVersion } from '../store/versions.ts'
import { inspectApp } from './inspect-app.ts'
import { refuseMerge } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface ImportRequest {
  file: string
  /** Id that the app gets here; default: the one that it had. */
  as?: string | undefined
}

export interface Imported {
  loop_app_id: string
  /** The one version that was added to an app; null when the whole app was. */
  version: number | null
  versions: number
  active: number | null
  changed: boolean
  commit: string | null
}

/** Brings in what `export` has put into an archive: an app that is not there yet, or one version for an app that is. */
export async function importArchive(workspace: Workspace, { file, as }: ImportRequest): Promise<Imported> {
  refuseMerge(workspace)
  const archive = await readArchive(path.resolve(workspace.cwd, file))
  const id = parseId(as ?? archive.table.loop_app_id)
  const data = await openDataDirectory(workspace)
  const staged = await stageFiles(data, id, archive)
  try {
    const inspected = await inspectApp(data, { id, paths: appLayout(staged.directory) }, { deep: true })
    refuseUnsound(file, inspected.findings)
    const { versions } = inspected
    if (await isThere(data.paths.app(id).directory)) {
      return await addVersion(workspace, data, await readApp(data, id), archive, versions)
    }
    const commit = await write(workspace, data, transaction =>
      transaction.commit({
        subject: `${id}: import`,
        trailers: { 'Loopai-App': id, 'Loopai-Op': 'import' },
        ...staged.commit(inspected.config!.datasets.track),
      }),
    )
    const active = (await findActive({ id, paths: data.paths.app(id) })) ?? null
    return { loop_app_id: id, version: null, versions: versions.length, active, changed: true, commit }
  } finally {
    await rm(staged.directory, { recursive: true, force: true })
  }
}

/** One version joins an app under the next number; its digest stays what it was. */
async function addVersion(
  workspace: Workspace,
  data: DataDirectory,
  app: LoopApp,
  { table, files }: Archive,
  versions: Version[],
): Promise<Imported> {
  const [source] = versions
  if (table.version === null || versions.length !== 1 || !source) {
    throw new LoopaiError('APP_EXISTS', `there is a Loop App ${app.id} already`, {
      hint: 'import it under another id with --as, or export one version alone: loopai export <app>@v1',
    })
  }
  const { manifest } = source
  const prefix = `artifacts/v${source.number}/`
  return write(workspace, data, async transaction => {
    const active = (await findActive(app)) ?? null
    const result = { loop_app_id: app.id, versions: 1, active }
    const same = await findByDigest(app, manifest.digest)
    if (same) return { ...result, version: same.number, changed: false, commit: null }
    const staged = await stageVersion(
      app,
      manifest.files.map(one => ({ ...files.get(prefix + one.path)!, path: one.path })),
    )
    try {
      const number = await nextNumber(transaction, app)
      const completed = await completeVersion(app, staged, {
        ...manifest,
        version: number,
        parent: active,
        created_at: workspace.now().toISOString(),
        created_by: personOf(transaction.identity.author),
        origin: { kind: 'import', loopai: LOOPAI_VERSION, notes: [originOf(table, source)] },
      })
      const commit = await transaction.commit({
        subject: `${app.id}: add v${number}`,
        trailers: {
          'Loopai-App': app.id,
          'Loopai-Op': 'import',
          'Loopai-Version': `v${number}`,
          'Loopai-Digest': manifest.digest,
        },
        ...completed,
        tag: `${app.id}/v${number}`,
      })
      return { ...result, version: number, changed: true, commit }
    } finally {
      await staged.remove()
    }
  })
}

function originOf({ loop_app_id, loopai }: Archive['table'], { number, manifest }: Version): string {
  const { created_at, created_by, digest } = manifest
  return `was v${number} of ${loop_app_id} (${shortDigest(digest)}), made ${created_at} by ${created_by}; exported by Loopai ${loopai}`
}

function refuseUnsound(file: string, findings: Finding[]): void {
  if (findings.length === 0) return
  const reasons = findings.slice(0, 5).map(({ message }) => message)
  throw new LoopaiError('INVALID_ARCHIVE', [`${file} is refused`, ...reasons].join('\n  '), {
    hint: 'nothing was kept; ask whoever made it',
    details: { findings },
  })
}
