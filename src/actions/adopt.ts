import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Config } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { digestOf, type Manifest } from '../domain/version.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { findActive } from '../store/active.ts'
import { type LoopApp, listApps, readApp, readConfig } from '../store/apps.ts'
import { personOf } from '../store/identity.ts'
import { isThere } from '../store/placing.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import type { CommittedFile, Transaction } from '../store/transaction.ts'
import { listVersions, readFiles } from '../store/versions.ts'
import { tell } from './entry.ts'
import { programOf } from './program-files.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

/** Versions that were given a manifest, by app. */
export type Adopted = { loop_app_id: string; versions: number[]; active: number | null }[]

/** Takes over apps in the layout of the concept document: versions that have a program and no manifest get one. */
export async function adopt(workspace: Workspace, root: string): Promise<Adopted> {
  const data = await openDataDirectory({ ...workspace, dir: root })
  const adopted: Adopted = []
  for (const id of await listApps(data)) {
    try {
      const app = await readApp(data, id)
      const bare = await listBare(app)
      if (bare.length === 0) continue
      adopted.push(await adoptApp(workspace, data, app, bare))
    } catch (error) {
      if (!(error instanceof LoopaiError)) throw error
      workspace.report(`${id} was not adopted: ${error.message}`)
    }
  }
  return adopted
}

async function listBare(app: LoopApp): Promise<number[]> {
  const numbers = await listVersions(app)
  const complete = await Promise.all(
    numbers.map(number => isThere(path.join(app.paths.version(number), 'manifest.json'))),
  )
  return numbers.filter((_, i) => !complete[i])
}

async function adoptApp(workspace: Workspace, data: DataDirectory, app: LoopApp, bare: number[]) {
  const config = await readConfig(data, app)
  const active = (await findActive(app)) ?? null
  const made = await Promise.all(bare.map(number => filesOf(app, number)))
  await write(workspace, data, async transaction => {
    const files: CommittedFile[] = [
      { path: `loop-apps/${app.id}/config.yaml`, mode: '100644', content: await readFile(app.paths.config) },
    ]
    const digests = new Map<number, string>()
    for (const [i, number] of bare.entries()) {
      const manifest = await manifestOf(workspace, transaction, app, config, number, made[i]!)
      digests.set(number, manifest.digest)
      const folder = `loop-apps/${app.id}/artifacts/v${number}`
      files.push(...made[i]!.map(({ name, mode, content }) => ({ path: `${folder}/${name}`, mode, content })))
      const text = `${JSON.stringify(manifest, null, 2)}\n`
      files.push({ path: `${folder}/manifest.json`, mode: '100644', content: text })
    }
    const isNew = active !== null && !(await isThere(app.paths.history)) && digests.has(active)
    const to = isNew ? { number: active, digest: digests.get(active)! } : undefined
    const reasoned = { ...workspace, message: workspace.message ?? 'was active when it was adopted' }
    const told = await tell(reasoned, transaction, app, { op: 'promote', to })
    if (isNew) {
      files.push(told.history)
      files.push({ path: `loop-apps/${app.id}/artifacts/active`, mode: '120000', content: `v${active}` })
    }
    const trailers = { 'Loopai-App': app.id, 'Loopai-Op': 'import' }
    return transaction.commit({ subject: `${app.id}: import`, trailers, files })
  })
  return { loop_app_id: app.id, versions: bare, active }
}

interface AdoptedFile {
  name: string
  mode: '100644' | '100755'
  content: Buffer
}

async function filesOf(app: LoopApp, number: number): Promise<AdoptedFile[]> {
  const directory = app.paths.version(number)
  const files = await readFiles(directory)
  return Promise.all(
    files.map(async ({ path: name, executable }) => ({
      name,
      mode: executable ? ('100755' as const) : ('100644' as const),
      content: await readFile(path.join(directory, ...name.split('/'))),
    })),
  )
}

async function manifestOf(
  workspace: Workspace,
  { identity }: Transaction,
  app: LoopApp,
  { input_schema, output_schema, limits, isolation }: Config,
  number: number,
  contents: AdoptedFile[],
): Promise<Manifest> {
  const files = await readFiles(app.paths.version(number))
  const { runtime, entry } = await programOf(
    contents.map(({ name, content }) => ({ path: name, content })),
    undefined,
  )
  if (!files.some(file => file.path === entry)) {
    throw new LoopaiError(
      'UNSUPPORTED',
      `v${number} has no ${entry}: compile it, and add it as a new version`,
    )
  }
  const behaviour = { runtime, entry, input_schema, output_schema, limits, isolation, dependencies: [] }
  const earlier = (await listVersions(app)).findLast(other => other < number)
  return {
    schema_version: 1,
    loop_app_id: app.id,
    version: number,
    parent: earlier ?? null,
    digest: digestOf(files, behaviour),
    files,
    ...behaviour,
    created_at: workspace.now().toISOString(),
    created_by: personOf(identity.author),
    origin: { kind: 'import', loopai: LOOPAI_VERSION, notes: ['it was here before Loopai'] },
  }
}
