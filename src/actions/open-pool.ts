import { lstat, readdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Gate, Isolation, Limits } from '../domain/launch.ts'
import { runtimes } from '../runtimes/index.ts'
import type { Interpreter, Runtime, RuntimeName } from '../runtimes/runtime.ts'
import { sandboxes } from '../sandboxes/index.ts'
import type { Sandbox, SandboxName } from '../sandboxes/sandbox.ts'
import { reachedThroughLink } from '../store/links.ts'
import { notPlain } from '../store/plain.ts'
import { explainReadError } from '../store/text.ts'
import { createPool, type Pool as Workers } from '../workers/pool.ts'
import { chooseSandbox, forgetSandbox } from './choose-sandbox.ts'
import { type NeededPackages, openPackages } from './environments.ts'
import { findInterpreter } from './find-interpreter.ts'

/** Where a program lies, and which one it is. */
export interface ProgramPlace {
  loopAppId: string
  version: number | 'draft'
  directory: string
  runtime: RuntimeName
  entry: string
  /** As the manifest says; `shared` when nothing is said. */
  isolation?: Isolation
  /** What it needs beside the standard library. */
  packages?: NeededPackages
}

export interface OpenPoolOptions {
  limits: Limits
  /** How many processes, at most. */
  size?: number
  unsandboxed?: boolean
  /** Verifies the program each time that a process is about to load it. When it rejects at first, so does `openPool`; later, so do calls. */
  gate?: Gate
  /** Called when the processes have been started: what takes this process time is done best while they come up. */
  onStart?: () => void
}

export interface Pool extends Workers {
  sandbox: SandboxName
}

/**
 * Starts workers for one program, in the strongest sandbox that this machine has. Whoever opens the pool closes it. A program that
 * cannot be loaded is no error here: its runs say so.
 */
export async function openPool(place: ProgramPlace, options: OpenPoolOptions): Promise<Pool> {
  const [directory, runtime] = await Promise.all([
    checkDirectory(place),
    runtimes[place.runtime]().then(module => module.default),
  ])
  const interpreter = await findInterpreter(runtime)
  const packages = place.packages && (await openPackages(place, place.packages, interpreter))
  const first = await startWorkers(await pickSandbox(options, runtime, interpreter), false)
  if (first) return first
  // It worked when it was probed. Something has changed that the key of the cache does not know.
  forgetSandbox(runtime)
  return (await startWorkers(await pickSandbox(options, runtime, interpreter), true))!

  async function startWorkers(sandbox: Sandbox, isLast: boolean): Promise<Pool | undefined> {
    const launch = runtime.launch(interpreter, {
      directory,
      inside: insideOf(place),
      entry: place.entry,
      limits: options.limits,
      isolation: place.isolation ?? 'shared',
      packages,
    })
    const pool = createPool({ ...options, launch: sandbox.confine(launch) })
    options.onStart?.()
    try {
      const failure = await pool.ready
      if (failure?.kind !== 'sandbox-unavailable') return { ...pool, sandbox: sandbox.name }
      await pool.close()
      if (isLast) {
        throw new LoopaiError(
          'NO_SANDBOX',
          `The ${sandbox.name} sandbox does not start: ${sandbox.explain(failure.message)}`,
          {
            hint: '`loopai doctor` looks for the reason',
          },
        )
      }
    } catch (problem) {
      await pool.close()
      throw problem
    }
  }
}

async function pickSandbox(
  options: OpenPoolOptions,
  runtime: Runtime,
  interpreter: Interpreter,
): Promise<Sandbox> {
  return options.unsandboxed ? (await sandboxes.none()).default : chooseSandbox(runtime, interpreter)
}

/** Nothing is mounted below this place: a program could make a mount point of it. */
function insideOf({ loopAppId, version }: ProgramPlace): string {
  const app = path.posix.join('/loopai-data/loop-apps', loopAppId)
  return version === 'draft'
    ? path.posix.join(app, 'draft')
    : path.posix.join(app, 'artifacts', `v${version}`)
}

/** Folders from `loop-apps` down to the program: a repository from elsewhere could bring links in their place. */
const OWN_FOLDERS = { version: 4, draft: 3 }

/** The folder's real path, if there is nothing in it, and nothing on the way to it, through which a sandbox would show more than the folder. */
async function checkDirectory({ directory, version }: ProgramPlace): Promise<string> {
  const depth = version === 'draft' ? OWN_FOLDERS.draft : OWN_FOLDERS.version
  const segments = path.resolve(directory).split(path.sep)
  const above = segments.slice(0, -depth).join(path.sep) || path.sep
  const real = await realpath(directory)
  if (real !== path.join(await realpath(above), ...segments.slice(-depth)))
    throw reachedThroughLink(directory)
  const entries = await readdir(real, { withFileTypes: true, recursive: true })
  await Promise.all(
    entries.map(async entry => {
      const file = path.join(entry.parentPath ?? entry.path, entry.name)
      const status = await lstat(file).catch(error => {
        throw explainReadError(error, file, 'let whatever changes the folder come to its end')
      })
      if (status.isSymbolicLink()) throw notPlain(file, 'a symbolic link')
      if (!status.isDirectory() && !status.isFile()) throw notPlain(file, 'no plain file')
      if (status.isFile() && status.nlink > 1) throw notPlain(file, 'a hard link')
    }),
  )
  return real
}
