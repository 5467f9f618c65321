import { existsSync, realpathSync } from 'node:fs'
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError, temporaryName } from './atomic.ts'
import { cacheDirectory, problemOfCache } from './cache.ts'

/**
 * Installed packages, in the user's cache directory: a folder for each lock and platform, complete or absent. It never changes once it is
 * there, and anything in it can be made again.
 */

/** The folder with the packages, by the real path. */
export function findEnvironment(key: string): string | undefined {
  if (problemOfCache()?.isForeign) return undefined
  const folder = path.join(environments(), key)
  return existsSync(path.join(folder, MARK)) ? realpathSync(path.join(folder, SITE)) : undefined
}

/** A folder to work in, which is removed afterwards, whatever happens. */
export async function withWorkFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const problem = problemOfCache()
  if (problem?.isForeign) throw new LoopaiError('NOT_WRITABLE', problem.message, { hint: problem.fix })
  const folder = temporaryName(path.join(environments(), SITE))
  try {
    await mkdir(environments(), { recursive: true, mode: 0o700 })
    await removeAbandoned()
    await mkdir(folder, { mode: 0o700 })
    return await use(folder)
  } catch (error) {
    throw explainWriteError(error, environments(), 'name another cache with LOOPAI_CACHE_DIR')
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

/** Gives packages that were installed below a work folder their place, all at once. When two do it, the first one stays. */
export async function placeEnvironment(
  key: string,
  work: string,
  site: string,
  facts: object,
): Promise<string> {
  const whole = path.join(work, 'whole')
  await mkdir(whole)
  await rename(site, path.join(whole, SITE))
  await makeReadOnly(path.join(whole, SITE))
  await writeFile(path.join(whole, MARK), `${JSON.stringify(facts, null, 2)}\n`)
  try {
    await rename(whole, path.join(environments(), key))
  } catch (error) {
    if (!findEnvironment(key)) throw error
  }
  return findEnvironment(key)!
}

const SITE = 'packages'
/** Longer than any installation takes. */
const ABANDONED_MS = 24 * 60 * 60_000
/** Written last. */
const MARK = 'environment.json'

function environments(): string {
  return path.join(cacheDirectory(), 'environments')
}

/** The files. Folders stay as they are, so that a user can remove the cache; a sandbox mounts all of it read-only. */
async function makeReadOnly(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name)
    if (entry.isDirectory()) await makeReadOnly(place)
    else if (entry.isFile()) await chmod(place, 0o444)
  }
}

/** What processes left behind that were killed. Which ones are alive cannot be told: containers may share the cache. */
async function removeAbandoned(): Promise<void> {
  const names = await readdir(environments())
  for (const name of names.filter(name => name.startsWith('.tmp-'))) {
    const place = path.join(environments(), name)
    const since = await stat(place).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    )
    if (Date.now() - since > ABANDONED_MS) await rm(place, { recursive: true, force: true })
  }
}
