import { spawn } from 'node:child_process'

export interface ToolRun {
  /** Absent when it was ended by a signal, or never started. */
  status: number | undefined
  stdout: string
  stderr: string
}

export interface ToolOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
}

/** Of what it prints, the end is kept. */
const MAX_LENGTH = 8 * 1024 * 1024

/** Runs a tool of the user's, such as pip, to its end. Rejects with `signal.reason` when aborted; nothing that it has started is left then. */
export function runTool(
  command: string,
  args: string[],
  { cwd, env, signal }: ToolOptions,
): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const printed = { stdout: '', stderr: '' }
    const kill = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It is gone, or never was.
      }
    }
    signal.addEventListener('abort', kill, { once: true })
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8')
      child[name].on('data', (text: string) => {
        printed[name] = (printed[name] + text).slice(-MAX_LENGTH)
      })
    }
    const finish = (status: number | undefined) => {
      signal.removeEventListener('abort', kill)
      if (signal.aborted) reject(signal.reason)
      else resolve({ status, ...printed })
    }
    child.on('error', problem => {
      printed.stderr += problem.message
      finish(undefined)
    })
    child.on('close', status => finish(status ?? undefined))
  })
}

/** Runs a short helper of our own, such as the one that asks an interpreter what it is. Nobody's program is run this way. */
export async function inspect(command: string, args: string[], timeoutMs: number): Promise<ToolRun> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    return await runTool(command, args, { cwd: '/', env: process.env, signal })
  } catch (problem) {
    if (problem !== signal.reason) throw problem
    return { status: undefined, stdout: '', stderr: `no answer within ${timeoutMs} ms` }
  }
}
