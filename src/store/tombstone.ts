import type { Removal, Version } from '../domain/version.ts'
import type { LoopApp } from './apps.ts'
import type { Commit } from './change.ts'

/** What takes a version's files away. Its manifest stays and says so, which keeps its number from being used again. */
export function tombstoneOf(
  app: LoopApp,
  { number, manifest }: Version,
  removal: Removal,
): Pick<Commit, 'files' | 'removed'> {
  const folder = `loop-apps/${app.id}/artifacts/v${number}`
  const content = `${JSON.stringify({ ...manifest, removed: removal }, null, 2)}\n`
  return {
    files: [{ path: `${folder}/manifest.json`, mode: '100644', content }],
    removed: manifest.files.map(file => `${folder}/${file.path}`),
  }
}
