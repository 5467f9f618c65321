import type { Stats } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { VersionSelector } from '../domain/address.ts'
import type { Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import { type HistoryEntry, isFlip, predecessor } from '../domain/history.ts'
import type { Admission } from '../domain/launch.ts'
import { sha256 } from '../domain/sha256.ts'
import {
  digestOf,
  type Evaluation,
  isListable,
  isVersionPath,
  type Manifest,
  manifestProblems,
  sortFiles,
  type Version,
  type VersionFile,
} from '../domain/version.ts'
import { findActive } from './active.ts'
import type { LoopApp } from './apps.ts'
import { explainWriteError, temporaryName } from './atomic.ts'
import type { Commit } from './change.ts'
import { fingerprint } from './fingerprint.ts'
import { anotherActiveHint, isUsable, numbersOf } from './folders.ts'
import { gitIn, typed } from './git-words.ts'
import { readHistory } from './history.ts'
import { notPlain, readPlain, readPlainText } from './plain.ts'
import { explainReadError } from './text.ts'
import {
  type Appearance,
  appearanceOf,
  folderOf,
  isVerified,
  rememberVerified,
  settledAppearance,
} from './verified.ts'

/** Limits of one version, against a folder that is something else. */
const MAX_FILES = 10_000
const MAX_BYTES = 1024 * 1024 * 1024
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024

/** Numbers of all versions, ascending. */
export async function listVersions(app: LoopApp): Promise<number[]> {
  return numbersOf(app)
}

export async function readVersion(app: LoopApp, number: number): Promise<Version> {
  return readVersionNow(app, number)
}

/** The same without a promise, for whoever reads thousands. */
export function readVersionNow(app: LoopApp, number: number): Version {
  const directory = app.paths.version(number)
  return { number, directory, manifest: readManifest(app, number) }
}

/**
 * How good a version was at birth, for a list of thousands. Of a manifest that is sound as far as that goes, the rest is left to whoever
 * uses it.
 */
export function readEvaluation(app: LoopApp, number: number): Evaluation | undefined {
  const { value } = parseManifest(app, number)
  const isOwn = isListable(value) && value.version === number && value.loop_app_id === app.id
  return (isOwn ? value : readVersionNow(app, number).manifest).evaluation
}

/** Changes when the files of a version are replaced by others; `undefined` when there are none. */
export function peekVersion(app: LoopApp, number: number): string | undefined {
  return fingerprint(manifestIn(app.paths.version(number)))
}

/** The version that an address means. */
export async function resolveVersion(app: LoopApp, selector: VersionSelector): Promise<Version> {
  if (selector.by === 'number') return readVersion(app, selector.number)
  if (selector.by === 'digest') return readByDigest(app, selector.digest)
  if (selector.name === 'latest') {
    for (const number of (await listVersions(app)).reverse()) {
      const version = await readVersion(app, number)
      if (!version.manifest.removed) return version
    }
    throw new LoopaiError('VERSION_NOT_FOUND', `${app.id} has no version yet`, {
      hint: firstVersionHint(app.id),
    })
  }
  const [active, versions] = await Promise.all([findActive(app), listVersions(app)])
  if (active === undefined) throw await noActiveVersion(app)
  if (selector.name === 'active') {
    if (!versions.includes(active)) throw danglingActive(app, active)
    return readVersion(app, active)
  }
  const previous = predecessor(await readHistory(app), active, number => isUsable(app, number))
  if (previous !== undefined) return readVersion(app, previous)
  throw new LoopaiError('NO_PREDECESSOR', `nothing was active before v${active} of ${app.id}`, {
    hint: `list its versions with: loopai show ${app.id}`,
  })
}

/** Proves that the files of a version are those that its manifest and its digest name. Files that were proven before are only looked at. */
export async function verifyVersion(app: LoopApp, version: Version): Promise<void> {
  refuseRemoved(app, version)
  const before = appearanceOf(version)
  if (isVerified(version, before)) return
  await compareFiles(app, version)
  if (appearanceOf(version).text === before.text) rememberVerified(version, before)
}

/**
 * The same, for a program that is about to be loaded by its path: whoever can write to the folder could put another file there after it was
 * read, and the first one back. It shows in the times of the files, which `confirm` compares when the program is loaded.
 */
export async function admitVersion(app: LoopApp, version: Version): Promise<Admission> {
  // What cannot be looked at has something wrong with it that is said better by the verification.
  const before = await settledAppearance(version).catch(() => undefined)
  await verifyVersion(app, version)
  const folder = folderOf(version)
  const confirm = () => {
    if (before && looksLike(version, before)) return
    const place = `v${version.number} of ${app.id}`
    throw new LoopaiError('INTEGRITY', `the files of ${place} were changed while it was loaded`, {
      hint: `repeat the command when nothing writes to ${version.directory}`,
      details: { isChanging: true },
    })
  }
  if (!before) confirm()
  return { folder, confirm }
}

/** Whether it is the error of a program that was changed while it was loaded: the next attempt may find it at rest. */
export function isChanging(error: unknown): boolean {
  return error instanceof LoopaiError && error.details?.isChanging === true
}

function looksLike(version: Version, before: Appearance): boolean {
  try {
    return appearanceOf(version).text === before.text
  } catch {
    return false
  }
}

/** Proves it anew, whatever was proven before. */
export async function compareFiles(app: LoopApp, { number, directory, manifest }: Version): Promise<void> {
  const files = await readFiles(directory)
  const found = new Map(files.filter(file => file.path !== 'manifest.json').map(file => [file.path, file]))
  const missing = manifest.files.map(file => file.path).filter(name => !found.has(name))
  const odd = manifest.files.filter(file => found.get(file.path)?.sha256 !== file.sha256)
  const changed = odd.map(file => file.path).filter(name => !missing.includes(name))
  const unexpected = [...found.keys()].filter(name => !manifest.files.some(file => file.path === name))
  const isDigestRight = digestOf(manifest.files, manifest) === manifest.digest
  if (odd.length === 0 && unexpected.length === 0 && isDigestRight) return
  const restore = checkoutOf(app, `v${number}`)
  const isOnlyMissing = missing.length > 0 && changed.length === 0 && unexpected.length === 0
  throw new LoopaiError(
    'INTEGRITY',
    `v${number} of ${app.id} is not what its digest says: ${describeChange([...changed, ...unexpected], missing)}`,
    {
      hint: isOnlyMissing
        ? `restore it with: ${restore}`
        : `versions are immutable: ${restore}   or register the change as a new version with: loopai add ${app.id} ${typed(directory)}`,
      details: { changed, missing, unexpected },
    },
  )
}

function describeChange(changed: string[], missing: string[]): string {
  const some = (names: string[]) => names.slice(0, 3).join(', ')
  const parts = [
    changed.length > 0 && `${some(changed)} was changed`,
    missing.length > 0 && `${some(missing)} is missing`,
  ].filter(part => part !== false)
  return parts.join(', ') || 'manifest.json was changed'
}

/** Proves that a removed version consists of a manifest which still has its digest. */
export async function verifyTombstone(app: LoopApp, { number, directory, manifest }: Version): Promise<void> {
  const files = await readFiles(directory)
  const left = files.find(file => file.path !== 'manifest.json')
  const isDigestRight = digestOf(manifest.files, manifest) === manifest.digest
  if (!left && isDigestRight) return
  const what = left ? `it has ${left.path}` : 'its manifest was changed'
  throw new LoopaiError('INTEGRITY', `v${number} of ${app.id} was removed, but ${what}`, {
    hint: checkoutOf(app, `v${number}`),
  })
}

/** The regular files below a folder, with size and hash, sorted. Links, hard links, devices and sockets are refused. */
export async function readFiles(
  directory: string,
  { deep = true }: { deep?: boolean } = {},
): Promise<VersionFile[]> {
  const files: VersionFile[] = []
  let bytes = 0
  const walk = async (folder: string, prefix: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const place = path.join(folder, entry.name)
      const name = prefix + entry.name
      if (!deep && !entry.isFile()) continue
      if (entry.isDirectory()) {
        await walk(place, `${name}/`)
        continue
      }
      if (!entry.isFile()) throw notPlain(place, entry.isSymbolicLink() ? 'a symbolic link' : 'no plain file')
      const file = readOne(place, name)
      bytes += file.size
      files.push(file)
      if (files.length > MAX_FILES || bytes > MAX_BYTES) throw tooMuch(directory)
    }
  }
  await walk(directory, '')
  return sortFiles(files)
}

/** A folder of a version that has no number yet. Git ignores it; `completeVersion` prepares it for a commit, `remove` drops it. */
export interface StagedVersion {
  directory: string
  files: VersionFile[]
  remove: () => Promise<void>
}

export async function stageVersion(
  app: LoopApp,
  files: (Draft['files'][number] & { executable?: boolean })[],
): Promise<StagedVersion> {
  const odd = files.find(file => !isVersionPath(file.path))
  if (odd)
    throw new LoopaiError('UNSUPPORTED', `${JSON.stringify(odd.path)} is no name for a file of a version`, {
      hint: 'rename it: no backslash, no control character, nothing outside the folder',
    })
  const directory = temporaryName(app.paths.active)
  // What cannot be removed is ignored by git, and for doctor to find.
  const remove = () => rm(directory, { recursive: true, force: true }).catch(() => {})
  try {
    for (const file of files) {
      const place = path.join(directory, ...file.path.split('/'))
      await mkdir(path.dirname(place), { recursive: true })
      await writeFile(place, file.content, { flag: 'wx', mode: file.executable ? 0o755 : 0o644 })
    }
    return { directory, files: await readFiles(directory), remove }
  } catch (error) {
    await remove()
    throw explainWriteError(error, directory)
  }
}

/** Completes a staged version with its manifest. A transaction gives it its name by renaming it. */
export async function completeVersion(
  app: LoopApp,
  staged: StagedVersion,
  manifest: Manifest,
): Promise<Pick<Commit, 'files' | 'folders'>> {
  const to = `loop-apps/${app.id}/artifacts/v${manifest.version}`
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  try {
    await writeFile(path.join(staged.directory, 'manifest.json'), text)
  } catch (error) {
    throw explainWriteError(error, staged.directory)
  }
  const program = await Promise.all(
    manifest.files.map(async file => ({
      path: `${to}/${file.path}`,
      mode: file.executable ? ('100755' as const) : ('100644' as const),
      content: await readFile(path.join(staged.directory, ...file.path.split('/'))),
    })),
  )
  const files = [...program, { path: `${to}/manifest.json`, mode: '100644' as const, content: text }]
  return { files, folders: [{ from: staged.directory, to }] }
}

/** Number and digest of a version, which may be missing or broken: then without a digest. */
export async function identifyVersion(app: LoopApp, number: number): Promise<VersionName> {
  try {
    return { number, digest: (await readVersion(app, number)).manifest.digest }
  } catch (error) {
    if (error instanceof LoopaiError) return { number, digest: null }
    throw error
  }
}

export interface VersionName {
  number: number
  digest: string | null
}

/** The newest version with this digest that was not removed, if there is one. */
export async function findByDigest(app: LoopApp, digest: string): Promise<Version | undefined> {
  const versions = await Promise.all((await listVersions(app)).map(number => readVersion(app, number)))
  return versions.findLast(({ manifest }) => manifest.digest === digest && !manifest.removed)
}

/** Why nothing is active: the link went, or nothing was promoted yet. */
export async function noActiveVersion(app: LoopApp): Promise<LoopaiError> {
  const promoted = (await readHistory(app)).findLast(isFlip)?.to
  if (promoted) return lostActive(app, promoted)
  const latest = (await listVersions(app)).findLast(number => isUsable(app, number))
  const hint =
    latest === undefined ? firstVersionHint(app.id) : `activate one with: loopai promote ${app.id} v${latest}`
  return new LoopaiError('NO_ACTIVE_VERSION', `${app.id} has no active version`, { hint })
}

/** The link went, although the history says that something was promoted. */
function lostActive(app: LoopApp, promoted: number): LoopaiError {
  const message = `artifacts/active of ${app.id} is missing, although v${promoted} was promoted`
  return new LoopaiError('NO_ACTIVE_VERSION', message, {
    hint: `restore it with: ${checkoutOf(app, 'active')}   or commit its removal, and: loopai promote ${app.id} v${promoted}`,
  })
}

/** A version's folder went, or a merge kept a link to one that is not there. */
function danglingActive(app: LoopApp, active: number): LoopaiError {
  const message = `active of ${app.id} points at v${active}, which does not exist`
  return new LoopaiError('INTEGRITY', message, { hint: anotherActiveHint(app) })
}

/** What is wrong with an `active` link as it stands, if anything is. */
export function problemOfActive(
  app: LoopApp,
  active: number | undefined,
  versions: number[],
  history: HistoryEntry[],
): LoopaiError | undefined {
  if (active !== undefined) return versions.includes(active) ? undefined : danglingActive(app, active)
  const promoted = history.findLast(isFlip)?.to
  return promoted ? lostActive(app, promoted) : undefined
}

function checkoutOf(app: LoopApp, name: string): string {
  return `${gitIn(app.paths.directory)} checkout HEAD -- artifacts/${name}`
}

function firstVersionHint(id: string): string {
  return `make one with: loopai generate ${id}`
}

function manifestIn(directory: string): string {
  return `${directory}${path.sep}manifest.json`
}

function readManifest(app: LoopApp, number: number): Manifest {
  const { value, broken } = parseManifest(app, number)
  const problems = manifestProblems(value)
  if (problems.length > 0) throw broken(`${problems[0]!.pointer} ${problems[0]!.message}`)
  const manifest = value as Manifest
  if (manifest.version !== number || manifest.loop_app_id !== app.id)
    throw broken('it belongs to another version')
  return manifest
}

function parseManifest(app: LoopApp, number: number) {
  const broken = (why: string, cause?: unknown) =>
    new LoopaiError('INTEGRITY', `the manifest of v${number} of ${app.id} is broken: ${why}`, {
      hint: `restore it with: ${checkoutOf(app, `v${number}`)}`,
      cause,
    })
  let text: string
  try {
    text = readPlainText(manifestIn(app.paths.version(number)), MAX_MANIFEST_BYTES)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw missingVersion(app, number)
    throw broken(message, error)
  }
  try {
    const value: unknown = JSON.parse(text)
    return { value, broken }
  } catch (error) {
    throw broken((error as Error).message)
  }
}

/** For what needs the files of a version. */
export function refuseRemoved(app: LoopApp, { number, manifest }: Version): void {
  if (!manifest.removed) return
  const { at, by, reason } = manifest.removed
  const why = reason ? `: ${reason}` : ''
  throw new LoopaiError(
    'VERSION_NOT_FOUND',
    `v${number} of ${app.id} was removed on ${at.slice(0, 10)} by ${by}${why}`,
    { hint: `its files are in git: ${gitIn(app.paths.directory)} log -- artifacts/v${number}` },
  )
}

function missingVersion(app: LoopApp, number: number): LoopaiError {
  const versions = numbersOf(app)
  if (versions.includes(number))
    return new LoopaiError('INTEGRITY', `v${number} of ${app.id} has no manifest.json`, {
      hint: `restore it with: ${checkoutOf(app, `v${number}`)}`,
    })
  const known =
    versions.length > 0 ? `it has ${versions.map(v => `v${v}`).join(', ')}` : firstVersionHint(app.id)
  return new LoopaiError('VERSION_NOT_FOUND', `${app.id} has no v${number}`, {
    hint: known,
    details: { versions },
  })
}

async function readByDigest(app: LoopApp, digest: string): Promise<Version> {
  const versions = await Promise.all((await listVersions(app)).map(number => readVersion(app, number)))
  const found = versions.filter(version => version.manifest.digest.startsWith(digest))
  if (new Set(found.map(version => version.manifest.digest)).size > 1) {
    throw new LoopaiError('INVALID_ADDRESS', `${digest} names several versions of ${app.id}`, {
      hint: 'give more digits',
    })
  }
  const version = found.findLast(({ manifest }) => !manifest.removed) ?? found.at(-1)
  if (version) return version
  throw new LoopaiError('VERSION_NOT_FOUND', `${app.id} has no version with the digest ${digest}`, {
    hint: `list its versions with: loopai show ${app.id}`,
  })
}

function readOne(place: string, name: string): VersionFile {
  let mode = 0
  const content = readThere(place, stat => {
    if (stat.nlink > 1) throw notPlain(place, 'a hard link')
    mode = stat.mode
  })
  return { path: name, size: content.length, sha256: sha256(content), executable: (mode & 0o111) !== 0 }
}

/** A file that the folder has named a moment ago. */
function readThere(place: string, look: (stat: Stats) => void): Buffer {
  try {
    return readPlain(place, MAX_BYTES, look)
  } catch (error) {
    throw explainReadError(error, place, 'let whatever changes the folder come to its end')
  }
}

function tooMuch(place: string): LoopaiError {
  return new LoopaiError('UNSUPPORTED', `${place} has more than ${MAX_FILES} files or 1 GiB`)
}
