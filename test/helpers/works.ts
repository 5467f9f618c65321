import { execFileSync } from 'node:child_process'

/** Whether this machine has it: the command runs and ends well. */
export function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A Python that has httpx; another one than `python3` is named by LOOPAI_TEST_PYTHON. */
export const python = process.env.LOOPAI_TEST_PYTHON ?? 'python3'
export const hasHttpx = works(python, ['-c', 'import httpx'])
