import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { bundle } from './bundle.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The cache folder of the whole run, so that interpreters and sandboxes are tried once and not once per file. */
    cache: string
  }
}

/** Once per run. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  // So that tests can start the store in processes of their own.
  await bundle('test/helpers/writer.ts', 'dist/test/writer.js')
  const cache = mkdtempSync(path.join(os.tmpdir(), 'loopai-test-cache-'))
  provide('cache', cache)
  // For tests that ask this process itself, and have no user.
  process.env.LOOPAI_CACHE_DIR = cache
  return () => rmSync(cache, { recursive: true, force: true })
}
