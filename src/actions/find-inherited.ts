import { storedVerdicts } from '../domain/evaluation.ts'
import type { VersionFile } from '../domain/version.ts'
import type { LoopApp } from '../store/apps.ts'
import { listVersions, readVersion } from '../store/versions.ts'

/** A file with less in it is the same by chance. */
const LEAST_BYTES = 64

export interface Inherited {
  /** Number of the latest learned version that has the file too. */
  version: number
  path: string
  verdicts: Map<string, boolean>
}

/**
 * What a written program owes to a learned version: when it holds a file that was learned from the examples, the held-out rows say nothing
 * of it, since it has seen them.
 */
export async function findInherited(app: LoopApp, files: VersionFile[]): Promise<Inherited | undefined> {
  const hashes = new Set(files.filter(({ size }) => size >= LEAST_BYTES).map(({ sha256 }) => sha256))
  for (const number of (await listVersions(app)).reverse()) {
    const { manifest } = await readVersion(app, number)
    const { evaluation } = manifest
    if (manifest.removed || evaluation?.held_out.method !== 'out_of_fold') continue
    const file = manifest.files.find(({ sha256 }) => hashes.has(sha256))
    if (file) return { version: number, path: file.path, verdicts: storedVerdicts(evaluation) }
  }
}
