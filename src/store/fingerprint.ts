import { statSync } from 'node:fs'

/** Changes when a file is written or replaced; `undefined` when it is not there or out of reach. Costs one `stat`. */
export function fingerprint(file: string): string | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`
  } catch {
    return undefined
  }
}
