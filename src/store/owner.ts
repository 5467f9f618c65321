import { readFileSync, readlinkSync } from 'node:fs'
import os from 'node:os'

/** A process that holds something, described so that another one can tell whether it still lives. */
export interface Owner {
  id: string
  pid: number
  host: string
  command: string
  since: string
  /** Start of the machine and of the process, where the system tells: a process id alone is used again. */
  start?: string | undefined
  /** The container whose process ids these are. */
  pids?: string | undefined
}

/** What Linux counts the age of processes in, on all common machines, and by how much that may be off. */
const TICKS_PER_SECOND = 100
const CLOCK_MS = 60_000

/** No write takes longer, whatever hooks it runs. */
const LONGEST_WRITE_MS = 15 * 60_000

export function describeSelf(id: string): Owner {
  return {
    id,
    pid: process.pid,
    host: os.hostname(),
    command: ['loopai', ...process.argv.slice(2, 4)].join(' '),
    since: new Date().toISOString(),
    start: startOf(process.pid),
    pids: namespaceOfPids(),
  }
}

/** True only when it is certain: a process of another machine is never called dead, one of another container not before it is old. */
export function isDead(owner: Owner): boolean {
  if (owner.host !== os.hostname()) return false
  if (owner.pids !== namespaceOfPids()) return Date.now() - Date.parse(owner.since) > LONGEST_WRITE_MS
  if (isGone(owner.pid)) return true
  const start = startOf(owner.pid)
  return owner.start !== undefined && start !== undefined && owner.start !== start
}

/** True when no process of this machine has that id. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** True when the process of that id cannot have made a file, whose time in milliseconds is given: it is gone, or younger. */
export function cannotHaveMade(pid: number, fileMs: number): boolean {
  if (isGone(pid)) return true
  const ticks = Number(startOf(pid)?.split(' ')[1])
  const startMs = Date.now() - os.uptime() * 1000 + (ticks / TICKS_PER_SECOND) * 1000
  return startMs > fileMs + CLOCK_MS
}

function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return `${boot} ${fields[19]}`
  } catch {
    return undefined
  }
}

function namespaceOfPids(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}
