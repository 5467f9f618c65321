import { spawn } from 'node:child_process'

export interface Inspection {
  /** Absent when it was ended by a signal, or never started. */
  status: number | undefined
  stdout: string
  stderr: string
}

const MAX_BYTES = 1024 * 1024

/** Runs a short helper of our own, such as the one that asks an interpreter what it is. Nobody's program is run this way. */
export function inspect(command: string, args: string[], timeoutMs: number): Promise<Inspection> {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const printed = { stdout: '', stderr: '' }
    const kill = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // It is gone.
      }
    }
    const timer = setTimeout(() => {
      printed.stderr = `no answer within ${timeoutMs} ms`
      kill()
    }, timeoutMs)
    const finish = (status: number | undefined) => {
      clearTimeout(timer)
      resolve({ status, ...printed })
    }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8')
      child[name].on('data', (text: string) => {
        printed[name] += text
        if (printed[name].length > MAX_BYTES) kill()
      })
    }
    child.on('error', problem => {
      printed.stderr = problem.message
      finish(undefined)
    })
    child.on('close', status => finish(status ?? undefined))
  })
}
