import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { BIN, environment, type RunOptions } from './cli.ts'

const SCRIPT = path.join(import.meta.dirname, 'terminal.py')

export const hasTerminals = spawnSync('python3', ['-c', 'import pty, termios']).status === 0

/**
 * Runs the command line as somebody at a terminal does, who waits for each text and types what stands beside it. The text that comes back
 * is without escapes; the status is 99 when not everything that was waited for came.
 */
export function atTerminal(
  folder: string,
  args: string[],
  steps: [string, string][],
  { env }: RunOptions = {},
): Promise<{ status: number | null; shown: string; raw: string }> {
  return new Promise((resolve, reject) => {
    const command = [SCRIPT, JSON.stringify(steps), process.execPath, BIN, ...args]
    const child = spawn('python3', command, {
      cwd: folder,
      env: { TERM: 'xterm', ...environment(env) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const parts: Buffer[] = []
    child.stdout.on('data', part => parts.push(part))
    child.on('error', reject)
    child.on('close', status => {
      const raw = Buffer.concat(parts).toString()
      resolve({ status, raw, shown: withoutEscapes(raw) })
    })
  })
}

function withoutEscapes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escapes
  return text.replace(/\x1b(\[[0-9;?]*[a-zA-Z]|[=>78])/g, '').replaceAll('\r', '')
}
