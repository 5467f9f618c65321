import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const { root, version } = findPackage(import.meta.dirname) ?? findInstalledPackage()

export const LOOPAI_VERSION: string = version

/** Absolute path of a file that this package ships, e.g. `packageFile('templates', 'harness', 'runner.py')`. */
export function packageFile(...segments: string[]): string {
  return path.join(root, ...segments)
}

interface Package {
  root: string
  version: string
}

/** This file is in `src`, or in a part of `dist`. Looking upwards takes a tenth of the time that Node's resolution takes at every start. */
function findPackage(folder: string): Package | undefined {
  for (let root = folder; root !== path.dirname(root); root = path.dirname(root)) {
    const { name, version } = readManifest(path.join(root, 'package.json')) ?? {}
    if (name === 'loopai' && version !== undefined) return { root, version }
  }
}

/** Somebody has bundled this file into a program of their own. */
function findInstalledPackage(): Package {
  const require = createRequire(import.meta.url)
  const root = path.dirname(require.resolve('loopai/package.json'))
  return { root, version: require('loopai/package.json').version }
}

function readManifest(file: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
