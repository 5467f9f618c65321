import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { USER_ENV } from './repository.ts'

export interface ServeProcess {
  url: string
  child: ChildProcess
  /** What it printed on stderr so far. */
  log(): string
  /** Sends SIGTERM; resolves with the exit status. */
  stop(): Promise<number | null>
}

const BIN = new URL('../../bin/loopai.js', import.meta.url).pathname

/** A real `loopai serve` on a free port, gone with the test. */
export async function serveProcess(
  root: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<ServeProcess> {
  const child = spawn(process.execPath, [BIN, '-C', root, 'serve', '--json', '--port', '0', ...args], {
    env: { ...USER_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr!.on('data', chunk => {
    said += chunk
  })
  const exit = new Promise<number | null>(resolve => child.on('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const first = createInterface(child.stdout!)[Symbol.asyncIterator]().next()
  const line = await Promise.race([first, exit.then(() => undefined)])
  if (!line || line.done) throw new Error(`loopai serve ended: ${said}`)
  return {
    url: JSON.parse(line.value).url,
    child,
    log: () => said,
    stop() {
      child.kill('SIGTERM')
      return exit
    },
  }
}
