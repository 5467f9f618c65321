import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError } from './atomic.ts'

interface Owner {
  id: string
  pid: number
  host: string
  command: string
  since: string
}

const WAIT_MS = 10_000

/**
 * Runs `work` as the only writer of the repository. The lock is a file that is linked into place with its content, so that it is
 * never seen empty. A dead owner on this machine is taken over; a live one is waited for, then named.
 */
export async function withLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const file = path.join(folder, 'lock')
  const own = path.join(folder, `lock.${randomUUID()}`)
  const owner: Owner = {
    id: path.basename(own),
    pid: process.pid,
    host: os.hostname(),
    command: ['loopai', ...process.argv.slice(2, 4)].join(' '),
    since: new Date().toISOString(),
  }
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(own, JSON.stringify(owner), { flag: 'wx' })
    await acquire(own, file)
  } catch (error) {
    throw explainWriteError(error, folder)
  } finally {
    await rm(own, { force: true }).catch(() => {})
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function acquire(own: string, file: string): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; ; ) {
    try {
      return await link(own, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readOwner(file)
    if (owner && isDead(owner) && (await takeOver(file, owner))) continue
    if (Date.now() > deadline) {
      const who = owner
        ? `${owner.command} (pid ${owner.pid} on ${owner.host}) since ${owner.since}`
        : 'another process'
      throw new LoopaiError('LOCKED', `${who} is writing this data directory`, {
        hint: `wait for it; if it is gone for good, remove ${file}`,
        details: { owner },
      })
    }
    await sleep(10 + Math.random() * 20)
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

function isDead(owner: Owner): boolean {
  if (owner.host !== os.hostname()) return false
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Removes a dead owner's lock. Only who wins the claim named after that owner may, so a fresh lock is never removed. */
async function takeOver(file: string, owner: Owner): Promise<boolean> {
  const claim = path.join(path.dirname(file), `dead.${path.basename(owner.id)}`)
  try {
    await mkdir(claim)
  } catch {
    return false
  }
  const now = await readOwner(file)
  if (now?.id === owner.id) await rename(file, path.join(claim, 'lock'))
  await rm(claim, { recursive: true, force: true })
  return true
}
