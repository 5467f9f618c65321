import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const OTHERS_MAY_RUN = 0o001

/** This Node, at a place where another user may run it: `npx -p node@24` keeps it below a home directory. */
export function nodeForOthers(): string {
  if (mayOthersRun(process.execPath)) return process.execPath
  copy ??= copied()
  return copy
}

let copy: string | undefined

function copied(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-node-'))
  chmodSync(folder, 0o755)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'node')
  copyFileSync(process.execPath, file)
  return file
}

/** Each folder on the way has to be open too. */
function mayOthersRun(file: string): boolean {
  for (let place = file; place !== path.dirname(place); place = path.dirname(place)) {
    if ((statSync(place).mode & OTHERS_MAY_RUN) === 0) return false
  }
  return true
}
