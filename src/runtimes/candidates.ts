import { statSync } from 'node:fs'
import path from 'node:path'

/** Files with one of these names on the PATH, the best name first. */
export function candidatesOf(names: string[], environment: NodeJS.ProcessEnv): string[] {
  const folders = (environment.PATH ?? '').split(path.delimiter).filter(path.isAbsolute)
  return names.flatMap(name => folders.map(folder => path.join(folder, name))).filter(isFile)
}

function isFile(file: string): boolean {
  try {
    return statSync(file).isFile()
  } catch {
    return false // also where the user may not look
  }
}
