import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeForOthers } from './node.ts'
import { USER_ENV } from './repository.ts'

const WRITER = path.resolve('dist/test/writer.js')

export interface Ended {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface WriterOptions {
  env?: Record<string, string>
  uid?: number
  /** Leader of a process group of its own. */
  detached?: boolean
  /** Its standard input stays open. */
  isFed?: boolean
}

/** Starts a process that writes a data directory; see `writer.ts` for what it can do. */
export function startWriter(
  root: string,
  args: string[],
  { env, uid, detached = false, isFed = false }: WriterOptions = {},
) {
  const child = spawn(uid === undefined ? process.execPath : nodeForOthers(), [WRITER, ...args], {
    cwd: root,
    env: { ...USER_ENV, ...env },
    stdio: [isFed ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached,
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return { child, ended: endOf(child) }
}

export function runWriter(root: string, args: string[], options?: WriterOptions): Promise<Ended> {
  return startWriter(root, args, options).ended
}

/** True when the process stands still, false when it has ended. Linux only. */
export async function hasStopped(pid: number): Promise<boolean> {
  for (;;) {
    try {
      const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)![0]
      if (state === 'T') return true
      if (state === 'Z') return false
    } catch {
      return false
    }
    await sleep(5)
  }
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const [[status, signal], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout!),
    text(child.stderr!),
  ])
  return { status, signal, stdout, stderr }
}

/** Runs `work` for steps 1, 2, 3 … until there is no such step, two at a time. Returns how many there were. */
export async function eachStep(work: (step: number) => Promise<boolean>): Promise<number> {
  let next = 1
  const ends: number[] = []
  const run = async () => {
    for (let step = next++; ends.length === 0 || step < Math.min(...ends); step = next++) {
      if (!(await work(step))) ends.push(step)
    }
  }
  await Promise.all([run(), run()])
  return Math.min(...ends) - 1
}
