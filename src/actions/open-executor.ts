import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../domain/config.ts'
import { type ErrorCode, isFileError, LoopaiError } from '../domain/errors.ts'
import type { Source } from '../domain/execution.ts'
import { lifecycleOf } from '../domain/history.ts'
import { readConfig } from '../store/apps.ts'
import { observeGit } from '../store/git-state.ts'
import { readHistory } from '../store/history.ts'
import { findRoot } from '../store/root.ts'
import { isOlderThan } from '../store/verified.ts'
import { isChanging, resolveVersion } from '../store/versions.ts'
import { createExecutor, type Executor, openVersion } from './executor.ts'
import { openAddress } from './open-app.ts'
import type { ProgramOptions } from './open-program.ts'
import { recordAtOnce } from './record.ts'
import { refuseResting } from './refuse-resting.ts'
import type { Workspace } from './workspace.ts'

/** How long a git command is waited for. */
const PATIENCE_MS = 10_000

/** What files that are only there in part can look like. */
const TORN: ErrorCode[] = [
  'APP_NOT_FOUND',
  'DATA_DIRECTORY_NOT_FOUND',
  'FILE_NOT_FOUND',
  'INTEGRITY',
  'INVALID_CONFIG',
  'INVALID_YAML',
  'NO_ACTIVE_VERSION',
  'VERSION_NOT_FOUND',
]

export interface ExecutorOptions extends Omit<ProgramOptions, 'gate'> {
  source: Source
  /** Set to false, nothing is recorded. */
  record?: boolean
}

/**
 * Opens the version that an address means, also while somebody pulls or changes the branch: when git was writing meanwhile, a failure is no
 * failure yet, and a program that was replaced between its verification and its start is not used.
 */
export async function openExecutor(
  workspace: Workspace,
  address: string,
  options: ExecutorOptions,
): Promise<Executor> {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    const start = Date.now()
    const hasWritten = observeGit(findRoot(workspace) ?? workspace.cwd)
    const isOver = () => Date.now() > deadline
    try {
      const executor = await openOnce(workspace, address, options)
      const isUnchanged = isOlderThan(executor.version, start)
      // What cannot be loaded may lack a file that git is about to write.
      if (!hasWritten() || (isUnchanged && (!executor.failure || isOver()))) return executor
      await executor.close()
      if (isOver()) throw keepsWriting(address)
    } catch (error) {
      if (!isTorn(error) || !hasWritten()) throw error
      if (isOver()) throw isChanging(error) ? keepsWriting(address) : error
    }
    await sleep(10, undefined, { signal: workspace.signal })
  }
}

/** The link is read once; the files are verified before the program is loaded. */
async function openOnce(
  workspace: Workspace,
  address: string,
  { source, record = true, ...options }: ExecutorOptions,
): Promise<Executor> {
  const { data, app, address: parsed } = await openAddress(workspace, address)
  refuseResting(app, lifecycleOf(await readHistory(app)))
  const version = await resolveVersion(app, parsed.version ?? { by: 'name', name: 'active' })
  let reading: Promise<Config> | undefined
  const opening = openVersion(app, version, {
    ...options,
    onStart() {
      reading = readConfig(data, app)
      // Awaited below; that it may fail earlier is no surprise.
      reading.catch(() => {})
    },
  })
  try {
    const program = await opening
    const config = await (reading ?? readConfig(data, app))
    const recorder = record ? recordAtOnce(app, config.datasets.fsync, workspace.report) : undefined
    return createExecutor({
      app,
      version,
      program,
      source,
      recorder,
      now: workspace.now,
      settings: () => config,
    })
  } catch (problem) {
    await opening.then(program => program.close()).catch(() => {})
    throw problem
  }
}

function keepsWriting(address: string): LoopaiError {
  return new LoopaiError('GIT_BUSY', `git keeps writing the files of ${address} while it is opened`, {
    hint: 'repeat the command when git is done',
  })
}

function isTorn(error: unknown): boolean {
  return error instanceof LoopaiError ? TORN.includes(error.code) : isFileError(error)
}
