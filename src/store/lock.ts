import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError, takeName } from './atomic.ts'
import { describeSelf, isDead, type Owner } from './owner.ts'

/** How long one owner is waited for, and how long all of them together. */
const OWNER_WAIT_MS = 10_000
const TOTAL_WAIT_MS = 60_000

/**
 * Runs `work` as the only writer of the repository. The lock is a file that is linked into place with its content, so that it is
 * never seen empty. A dead owner on this machine is taken over; a live one is waited for, then named.
 */
export async function withLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const file = path.join(folder, 'lock')
  const id = randomUUID()
  const own = path.join(folder, `lock.${id}`)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(own, JSON.stringify(describeSelf(id)), { flag: 'wx' })
    await acquire(own, file)
  } catch (error) {
    throw explainWriteError(error, folder)
  } finally {
    await rm(own, { force: true }).catch(() => {})
  }
  try {
    return await work()
  } finally {
    // One that cannot be removed is taken over once this process has ended.
    await rm(file, { force: true }).catch(() => {})
  }
}

async function acquire(own: string, file: string): Promise<void> {
  const start = Date.now()
  let known: { id: string | undefined; until: number } | undefined
  while (!(await takeName(own, file))) {
    const owner = await readOwner(file)
    if (owner && isDead(owner) && (await takeOver(own, file, owner))) continue
    if (known?.id !== owner?.id || !known) known = { id: owner?.id, until: Date.now() + OWNER_WAIT_MS }
    if (Date.now() > Math.min(known.until, start + TOTAL_WAIT_MS)) throw locked(file, owner)
    await sleep(3 + Math.random() * 12)
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

/**
 * Removes a dead owner's lock. Only the holder of the claim named after the dead may, so that a fresh lock is never removed; when the
 * holder of a claim died as well, the claim named after that one decides, and so on.
 */
async function takeOver(own: string, file: string, dead: Owner): Promise<boolean> {
  const folder = path.dirname(file)
  const claims: string[] = []
  for (let last = dead; ; ) {
    const claim = path.join(folder, `after.${path.basename(last.id)}`)
    claims.push(claim)
    if (await takeName(own, claim)) break
    const heir = await readOwner(claim)
    if (!heir || !isDead(heir)) return false
    last = heir
  }
  if ((await readOwner(file))?.id === dead.id) {
    await rm(file, { force: true })
    await removeTraces(folder)
  }
  for (const claim of claims) await rm(claim, { force: true })
  return true
}

/** Names that other dead processes left while they waited. */
async function removeTraces(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('lock.')) continue
    const owner = await readOwner(path.join(folder, name))
    if (owner && isDead(owner)) await rm(path.join(folder, name), { force: true })
  }
}

function locked(file: string, owner: Owner | undefined): LoopaiError {
  const who = owner
    ? `${owner.command} (pid ${owner.pid} on ${owner.host}) since ${owner.since}`
    : 'another process'
  return new LoopaiError('LOCKED', `${who} is writing this data directory`, {
    hint: `wait for it; if it is gone for good, remove ${file}`,
    details: { owner },
  })
}
