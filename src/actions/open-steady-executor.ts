import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, isFileError, LoopaiError } from '../domain/errors.ts'
import { observeGit } from '../store/git-state.ts'
import { findRoot } from '../store/root.ts'
import { isOlderThan } from '../store/verified.ts'
import { type Executor, type ExecutorOptions, openExecutor } from './executor.ts'
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

/**
 * Opens a version as `openExecutor` does, also while somebody pulls or changes the branch. When git was writing meanwhile, a failure is no
 * failure yet, and a program that was replaced between its verification and its start is not used.
 */
export async function openSteadyExecutor(
  workspace: Workspace,
  address: string,
  options: ExecutorOptions,
): Promise<Executor> {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    const start = Date.now()
    const hasWritten = observeGit(findRoot(workspace) ?? workspace.cwd)
    const isFinal = () => !hasWritten() || Date.now() > deadline
    try {
      const executor = await openExecutor(workspace, address, options)
      const isSound = !executor.failure && isOlderThan(executor.version, start)
      if (isSound || isFinal()) return executor
      await executor.close()
    } catch (error) {
      if (!isTorn(error) || isFinal()) throw error
    }
    await sleep(10, undefined, { signal: workspace.signal })
  }
}

function isTorn(error: unknown): boolean {
  return error instanceof LoopaiError ? TORN.includes(error.code) : isFileError(error)
}
