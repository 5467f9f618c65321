import { list } from '../actions/list.ts'
import { show } from '../actions/show.ts'
import { stats } from '../actions/stats.ts'
import { isFileError, LoopaiError } from '../domain/errors.ts'
import { type Answer, type Call, json } from './exchange.ts'
import { openapiOf } from './openapi.ts'
import type { Service } from './service.ts'

/** `GET /loop-apps` */
export async function listLoopApps({ workspace, apps }: Service): Promise<Answer> {
  const listed = (await list(workspace)).filter(app => apps.serves(app.loop_app_id))
  // What to type on this machine is nothing for those who call it.
  return json({ loop_apps: listed.map(({ fix: _fix, ...app }) => app) })
}

/** `GET /loop-apps/{id}` */
export async function showLoopApp(service: Service, _call: Call, [id]: string[]): Promise<Answer> {
  return json(await showApp(service, id!))
}

/** `GET /loop-apps/{id}/versions` */
export async function showVersions(service: Service, _call: Call, [id]: string[]): Promise<Answer> {
  const { versions } = await showApp(service, id!)
  return json({ versions })
}

/** `GET /loop-apps/{id}/versions/{version}` */
export async function showVersion(service: Service, _call: Call, [id, version]: string[]): Promise<Answer> {
  await service.apps.get(id!)
  const shown = await show(service.workspace, `${id}@${version}`)
  if (!('version' in shown)) throw new LoopaiError('VERSION_NOT_FOUND', `${id} has no ${version}`)
  const { path: _path, ...rest } = shown.version
  return json(rest)
}

/** `GET /loop-apps/{id}/stats` */
export async function showStats(service: Service, call: Call, [id]: string[]): Promise<Answer> {
  const live = await service.apps.get(id!)
  live.flush()
  const since = call.query().get('since') ?? undefined
  if (since !== undefined && !/^\d{4}-\d\d-\d\d$/.test(since)) {
    throw new LoopaiError('USAGE', 'since has to be a day, such as 2026-01-31')
  }
  return json(await stats(service.workspace, id!, since))
}

/** `GET /openapi.json` */
export async function openapi(service: Service): Promise<Answer> {
  const listed = await list(service.workspace)
  const apps = await Promise.all(
    listed.filter(app => app.active_version !== null).map(app => describe(service, app.loop_app_id)),
  )
  return json(openapiOf(apps.filter(app => app !== undefined)))
}

/** An app as its active version takes and gives. One that is broken, or is not served here, is left out. */
async function describe(service: Service, id: string) {
  try {
    const { name, task } = await showApp(service, id)
    const shown = await show(service.workspace, `${id}@active`)
    if (!('version' in shown)) return undefined
    const { input_schema, output_schema, version } = shown.version
    return { id, name, task, version, input_schema, output_schema }
  } catch (error) {
    if (error instanceof LoopaiError || isFileError(error)) return undefined
    throw error
  }
}

/** Without the place on this machine's disk, which is nobody's business. */
async function showApp(service: Service, id: string) {
  await service.apps.get(id)
  const shown = await show(service.workspace, id)
  if (!('app' in shown)) throw new LoopaiError('APP_NOT_FOUND', `there is no Loop App ${id}`)
  const { path: _path, ...rest } = shown.app
  return rest
}
