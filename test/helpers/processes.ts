import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { text } from 'node:stream/consumers'
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
}

/** Starts a process that writes a data directory; see `writer.ts` for what it can do. */
export function startWriter(root: string, args: string[], { env, uid }: WriterOptions = {}) {
  const child = spawn(process.execPath, [WRITER, ...args], {
    cwd: root,
    env: { ...USER_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return { child, ended: endOf(child) }
}

export function runWriter(root: string, args: string[], options?: WriterOptions): Promise<Ended> {
  return startWriter(root, args, options).ended
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const [[status, signal], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout!),
    text(child.stderr!),
  ])
  return { status, signal, stdout, stderr }
}
