import { createRequire } from 'node:module'
import path from 'node:path'

const require = createRequire(import.meta.url)
const root = path.dirname(require.resolve('loopai/package.json'))

export const LOOPAI_VERSION: string = require('loopai/package.json').version

/** Absolute path of a file that this package ships, e.g. `packageFile('templates', 'harness', 'runner.py')`. */
export function packageFile(...segments: string[]): string {
  return path.join(root, ...segments)
}
