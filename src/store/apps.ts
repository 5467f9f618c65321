import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { type Config, completeConfig, configProblems } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { closest } from '../domain/problems.ts'
import type { AppLayout } from './layout.ts'
import { refuseLink } from './links.ts'
import { type DataDirectory, MAX_CONFIG_BYTES } from './root.ts'
import { readOwnText } from './text.ts'

/** A Loop App in a data directory. */
export interface LoopApp {
  id: string
  paths: AppLayout
}

/** Ids of all apps, sorted. A link is among them, for whoever opens it to be told. */
export async function listApps(data: DataDirectory): Promise<string[]> {
  return (await listAppFolders(data)).map(({ id }) => id)
}

/** The same, with what is a link and no folder. */
export async function listAppFolders(data: DataDirectory): Promise<{ id: string; isLink: boolean }[]> {
  const entries = await readdir(data.paths.apps, { withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map(entry => ({ id: entry.name, isLink: entry.isSymbolicLink() }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

export async function readApp(data: DataDirectory, id: string): Promise<LoopApp> {
  const paths = data.paths.app(id)
  refuseLink(paths.directory)
  if (existsSync(paths.directory)) return { id, paths }
  const apps = await listApps(data)
  const like = closest(id, apps)
  throw new LoopaiError('APP_NOT_FOUND', `there is no Loop App ${id} in ${data.root}`, {
    hint: like ? `did you mean ${like}?` : `create it with: loopai create ${id}`,
    details: { apps: apps.slice(0, 50) },
  })
}

/** The app's settings, completed by those of `loopai.yaml` and the defaults. */
export async function readConfig(data: DataDirectory, app: LoopApp): Promise<Config> {
  const { configError, parseYaml } = await import('./yaml.ts')
  const file = app.paths.config
  const document = parseYaml(readOwnText(file, MAX_CONFIG_BYTES), file)[0]
  const problems = configProblems(document?.value)
  if (problems.length > 0) throw configError(file, document!, problems)
  const config = completeConfig(document!.value, data.settings)
  if (config.loop_app_id === app.id) return config
  throw new LoopaiError(
    'INVALID_CONFIG',
    `${file}: loop_app_id is ${config.loop_app_id}, the folder is ${app.id}`,
    {
      hint: 'make both the same',
    },
  )
}
