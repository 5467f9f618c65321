import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { completeRootConfig, type RootConfig, rootConfigProblems } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { layout } from './layout.ts'
import { refuseLink } from './links.ts'
import { readOwnText } from './text.ts'

/** An open data directory. */
export interface DataDirectory {
  /** Absolute real path. */
  root: string
  paths: ReturnType<typeof layout>
  settings: RootConfig
}

/** Where a data directory is looked for: `--dir`, `LOOPAI_DIR`, and the folder that the command runs in. */
export interface Whereabouts {
  dir?: string | undefined
  cwd: string
  env: NodeJS.ProcessEnv
}

/** Largest `loopai.yaml` or `config.yaml` that is read, in bytes. */
export const MAX_CONFIG_BYTES = 1024 * 1024

/**
 * The data directory's path: what was named, else the nearest ancestor with `loopai.yaml` up to the git root, else
 * `./loopai-data` when it is one. Nothing else is ever guessed.
 */
export function findRoot({ dir, cwd, env }: Whereabouts): string | undefined {
  const named = dir ?? (env.LOOPAI_DIR || undefined)
  if (named !== undefined) return path.resolve(cwd, named)
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    if (existsSync(layout(folder).marker)) return folder
    if (existsSync(path.join(folder, '.git')) || folder === path.dirname(folder)) break
  }
  const usual = path.resolve(cwd, 'loopai-data')
  return existsSync(layout(usual).marker) ? usual : undefined
}

export async function openDataDirectory(whereabouts: Whereabouts): Promise<DataDirectory> {
  const found = findRoot(whereabouts)
  if (!found) {
    throw new LoopaiError('DATA_DIRECTORY_NOT_FOUND', 'there is no Loopai data directory here', {
      hint: 'make one with: loopai init   or name one with --dir or LOOPAI_DIR',
    })
  }
  if (!existsSync(layout(found).marker)) {
    throw new LoopaiError(
      'DATA_DIRECTORY_NOT_FOUND',
      `${found} is not a Loopai data directory: it has no loopai.yaml`,
      {
        hint: `make it one with: loopai init ${found}`,
      },
    )
  }
  const root = await realpath(found)
  const paths = layout(root)
  // The data directory itself may be reached through a link, as /tmp is on some systems.
  refuseLink(paths.apps)
  return { root, paths, settings: await readRootConfig(paths.marker) }
}

async function readRootConfig(file: string): Promise<RootConfig> {
  const text = readOwnText(file, MAX_CONFIG_BYTES)
  if (text.trim() === 'schema_version: 1') return completeRootConfig({ schema_version: 1 })
  const { configError, parseYaml } = await import('./yaml.ts')
  const document = parseYaml(text, file)[0] ?? { value: undefined, position: () => '1:1' }
  const problems = rootConfigProblems(document.value)
  if (problems.length > 0) throw configError(file, document, problems)
  return completeRootConfig(document.value)
}
