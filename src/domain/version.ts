import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { manifest as validateManifest } from './compiled/validators.js'
import type { Brief } from './draft.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Isolation, Limits } from './launch.ts'
import { describeErrors, type Problem } from './problems.ts'
import type { Report } from './quality.ts'

/** One file of a version. `path` is relative, with `/`. */
export interface VersionFile {
  path: string
  size: number
  sha256: string
  executable: boolean
}

/** The part of a manifest that decides how a version behaves; with the files it makes the digest. */
export interface Behaviour {
  runtime: 'python' | 'node'
  entry: string
  input_schema: JsonObject
  output_schema: JsonObject
  limits: Limits
  isolation: Isolation
  dependencies: JsonObject[]
}

export interface Origin {
  kind: 'generate' | 'improve' | 'add' | 'import'
  /** Version of Loopai that made it. */
  loopai: string
  generator?: string
  strategy?: string
  seed?: number
  seconds?: number
  /** Who wrote which files, when they are of several: the learner learned from `rows` rows and answers this share of the held-out ones alone. */
  made_of?: { generator: string; files: string[]; rows?: number; accuracy?: number }[]
  /** Of a language model. */
  model?: string
  prompt_sha256?: string
  cost_usd?: number
  tokens?: { input: number; output: number }
  notes?: string[]
  /** Of the settings, what the generator was told beside the schemas. */
  told?: Pick<Brief, 'privacy' | 'metric'> & Pick<Brief['app'], 'name' | 'task'>
  examples?: { path: string; sha256: string; rows: number }[]
}

/** How good a version was when it was made. Rows are named by `exampleKey`, cases by id or line. */
export interface Evaluation {
  held_out: { method: 'out_of_fold' | 'held_out'; right: string[]; wrong: string[] }
  cases: { passed: number; failed: string[] }
  report?: Report
}

/** `manifest.json`: one per version, immutable but for the removal of the version. */
export interface Manifest extends Behaviour {
  schema_version: 1
  loop_app_id: string
  version: number
  parent: number | null
  digest: string
  files: VersionFile[]
  created_at: string
  created_by: string
  origin: Origin
  /** Numbers that it had in a clone, before a sync found them taken upstream. */
  former_numbers?: number[]
  evaluation?: Evaluation
  /** Present when its files were taken away. */
  removed?: Removal
}

export interface Removal {
  at: string
  by: string
  reason: string | null
}

/** A version in a data directory. */
export interface Version {
  number: number
  /** Absolute path, never through the `active` link. */
  directory: string
  manifest: Manifest
}

/**
 * Identity of a version: SHA-256 over the lines `path NUL executable(0|1) NUL size NUL sha256 LF` of its files, sorted by the bytes
 * of their paths, followed by the canonical JSON (RFC 8785) of its behaviour fields.
 */
export function digestOf(files: VersionFile[], behaviour: Behaviour): string {
  const hash = createHash('sha256')
  for (const file of sortFiles(files)) {
    hash.update(`${file.path}\0${file.executable ? 1 : 0}\0${file.size}\0${file.sha256}\n`)
  }
  const { runtime, entry, input_schema, output_schema, limits, isolation, dependencies } = behaviour
  hash.update(canonicalize({ runtime, entry, input_schema, output_schema, limits, isolation, dependencies })!)
  return `sha256:${hash.digest('hex')}`
}

export function sortFiles<File extends { path: string }>(files: File[]): File[] {
  return [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
}

/** True when a file of a version stays in its folder, on every system. The schema of manifests says the same. */
export function isVersionPath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused
  return path.split('/').every(segment => !/^\.{0,2}$|[\u0000-\u001f\\]/.test(segment))
}

export function manifestProblems(value: unknown): Problem[] {
  return validateManifest(value) ? [] : describeErrors(validateManifest.errors)
}

/** Whether a manifest has, as its schema wants it, what a list of versions is made of. Costs a tenth of the schema. */
export function isListable(
  value: unknown,
): value is Pick<Manifest, 'loop_app_id' | 'version' | 'digest' | 'files' | 'evaluation'> {
  if (!isObject(value) || value.schema_version !== 1) return false
  const { files, digest, evaluation } = value
  if (!Array.isArray(files) || files.length === 0 || typeof digest !== 'string') return false
  if (evaluation === undefined) return true
  if (!isObject(evaluation) || !isObject(evaluation.held_out)) return false
  return Array.isArray(evaluation.held_out.right) && Array.isArray(evaluation.held_out.wrong)
}

export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12)
}
