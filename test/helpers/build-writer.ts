import { build } from 'esbuild'

/** Bundles `writer.ts` once per run, so that tests can start the store in processes of its own. */
export async function setup(): Promise<void> {
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
