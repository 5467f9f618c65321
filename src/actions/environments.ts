import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import {
  describePins,
  environmentKey,
  LOCK,
  type Lock,
  normalName,
  type PackageSource,
  packagesOf,
  parseLock,
} from '../domain/requirements.ts'
import type { Version } from '../domain/version.ts'
import { runtimes } from '../runtimes/index.ts'
import type { Interpreter, Packages } from '../runtimes/runtime.ts'
import type { LoopApp } from '../store/apps.ts'
import { findEnvironment } from '../store/environments.ts'
import { readPlainText } from '../store/plain.ts'
import { listVersions, readVersion } from '../store/versions.ts'
import { findInterpreter } from './find-interpreter.ts'

const MAX_LOCK_BYTES = 16 * 1024 * 1024

/** Which packages a program needs. */
export interface NeededPackages {
  from: PackageSource
  /** SHA-256 of the lock, as the manifest has it. */
  lockSha256: string
}

/** What a version needs beside the standard library, and whether this machine has it. */
export interface EnvironmentState extends NeededPackages {
  packages: string[]
  lock: Lock
  /** The file that it was read from. */
  text: string
  isInstalled: boolean
}

export function neededPackages({ manifest }: Version): NeededPackages | undefined {
  const dependency = packagesOf(manifest.dependencies)
  if (!dependency) return undefined
  const lock = manifest.files.find(file => file.path === LOCK)
  return { from: dependency.from, lockSha256: lock?.sha256 ?? '' }
}

export async function environmentOf(version: Version): Promise<EnvironmentState | undefined> {
  const needed = neededPackages(version)
  if (!needed || version.manifest.removed) return undefined
  const { text, lock } = await readLock(version.directory, needed.from)
  const interpreter = await findPython()
  const found = needed.from === 'system' ? findOwn(lock.pins, interpreter) : findWheels(needed, interpreter)
  const isInstalled = found !== undefined
  return { ...needed, text, lock, packages: describePins(lock.pins), isInstalled }
}

/** Throws when a version needs packages and its lock cannot be read, or is not one. */
export async function checkLock(version: Version): Promise<void> {
  const needed = neededPackages(version)
  if (needed && !version.manifest.removed) await readLock(version.directory, needed.from)
}

/** What a process needs to import the packages, or a refusal that says how to get them. Nothing is installed on the way. */
export async function openPackages(
  place: { loopAppId: string; version: number | 'draft'; directory: string },
  needed: NeededPackages,
  interpreter: Interpreter,
): Promise<Packages> {
  const installed = needed.from === 'index' ? findWheels(needed, interpreter) : undefined
  if (installed) return installed
  const { lock } = await readLock(place.directory, needed.from)
  const own = needed.from === 'system' ? findOwn(lock.pins, interpreter) : undefined
  if (own) return own
  throw missing(place, needed, lock, interpreter)
}

export async function findPython(): Promise<Interpreter> {
  return findInterpreter((await runtimes.python()).default)
}

/** The lock of the newest version that has one of wheels. */
export async function findLatestLock(app: LoopApp): Promise<string | undefined> {
  for (const number of (await listVersions(app)).reverse()) {
    const version = await readVersion(app, number)
    if (neededPackages(version)?.from !== 'index' || version.manifest.removed) continue
    return (await readLock(version.directory, 'index')).text
  }
}

async function readLock(directory: string, from: PackageSource): Promise<{ text: string; lock: Lock }> {
  try {
    const text = readPlainText(path.join(directory, LOCK), MAX_LOCK_BYTES)
    return { text, lock: parseLock(text, from) }
  } catch (cause) {
    if (cause instanceof LoopaiError) throw cause
    throw new LoopaiError('INTEGRITY', `${path.join(directory, LOCK)} cannot be read`, {
      hint: 'restore it from git',
      cause,
    })
  }
}

/** What was installed of a lock, at a place of its own, under which nothing of a program lies. */
function findWheels({ lockSha256 }: NeededPackages, { platform }: Interpreter): Packages | undefined {
  const folder = findEnvironment(environmentKey(lockSha256, platform))
  return folder === undefined
    ? undefined
    : { folders: [folder], mounts: [{ source: folder, target: '/loopai/packages' }] }
}

/** What is installed for the interpreter, when it is what the lock names. */
function findOwn(pins: Lock['pins'], { own }: Interpreter): Packages | undefined {
  if (!own) return undefined
  const found = own.folders
    .filter(existsSync)
    .map(folder => ({ folder, names: readdirSync(folder).map(distribution) }))
  const places = pins.map(({ name, version }) => {
    const wanted = `${normalName(name)} ${version}`
    return found.find(({ names }) => names.includes(wanted))?.folder
  })
  if (places.includes(undefined)) return undefined
  const folders = own.folders.filter(folder => places.includes(folder))
  const others = own.folders.filter(folder => !folders.includes(folder))
  return { folders, mounts: own.mounts.filter(({ target }) => !others.includes(target)) }
}

/** `scikit_learn-1.2.1.egg-info` is scikit-learn 1.2.1. */
function distribution(name: string): string | undefined {
  const [, project, version] = /^(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(name) ?? []
  return project && `${normalName(project)} ${version}`
}

function missing(
  { loopAppId, version }: { loopAppId: string; version: number | 'draft' },
  { from }: NeededPackages,
  lock: Lock,
  { executable, platform }: Interpreter,
): LoopaiError {
  const packages = describePins(lock.pins)
  const name = version === 'draft' ? `the draft of ${loopAppId}` : `v${version} of ${loopAppId}`
  const where = from === 'system' ? `${executable} does not have` : `are not installed here for ${platform}`
  return new LoopaiError(
    'ENVIRONMENT_MISSING',
    `${name} needs packages that ${where}: ${packages.join(', ')}`,
    {
      hint:
        from === 'system'
          ? `install these versions with the system's package manager (on Debian ${debianNames(lock)}), or make a version for those that are there: loopai add ${loopAppId} --from ${loopAppId}@v${version}`
          : `loopai prepare ${loopAppId}${version === 'draft' ? '' : `@v${version}`}`,
      details: { packages, from, platform },
    },
  )
}

export function debianNames({ pins }: Pick<Lock, 'pins'>): string {
  return `\`apt-get install ${pins.map(({ name }) => DEBIAN[normalName(name)] ?? `python3-${normalName(name)}`).join(' ')}\``
}

/** Those that Debian calls otherwise. */
const DEBIAN: Record<string, string> = {
  'scikit-learn': 'python3-sklearn',
  pyyaml: 'python3-yaml',
  pillow: 'python3-pil',
}
