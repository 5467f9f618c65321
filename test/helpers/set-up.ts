import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The cache folder of the whole run, so that interpreters and sandboxes are tried once and not once per file. */
    cache: string
  }
}

/** Once per run. */
export async function setup({ provide }: TestProject): Promise<() => void> {
  await buildWriter()
  const cache = mkdtempSync(path.join(os.tmpdir(), 'loopai-test-cache-'))
  provide('cache', cache)
  // For tests that ask this process itself, and have no user.
  process.env.LOOPAI_CACHE_DIR = cache
  return () => rmSync(cache, { recursive: true, force: true })
}

/** Bundles `writer.ts`, so that tests can start the store in processes of its own. */
async function buildWriter() {
  await build({
    entryPoints: ['test/helpers/writer.ts'],
    outfile: 'dist/test/writer.js',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  })
}
