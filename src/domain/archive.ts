import { isObject } from './json.ts'
import type { VersionFile } from './version.ts'

/** Name of the first file of an archive, which says what is in it. */
export const TABLE = 'loopai-archive.json'

/** What an archive says of itself. The list lets a damaged one be told; what it holds is proven by the digests of its versions. */
export interface ArchiveTable {
  format: 1
  loop_app_id: string
  /** Of an archive with one version: its number. */
  version: number | null
  active: number | null
  loopai: string
  files: VersionFile[]
}

export const MAX_ARCHIVE_FILES = 50_000
export const MAX_ARCHIVE_BYTES = 1024 * 1024 * 1024

const PLACES = [
  /^loopai-archive\.json$/,
  /^config\.yaml$/,
  /^history\.jsonl$/,
  /^tests\/[^/]+\.jsonl$/,
  /^datasets\/(examples|executions|validations|analytics)\/[^/]+$/,
  /^artifacts\/v[1-9][0-9]{0,8}\/.+$/,
]

/** Why an entry of an archive is refused, if it is: an archive comes from anywhere. */
export function entryProblem({ path, type }: { path: string; type: string }): string | undefined {
  if (type !== 'File' && type !== 'OldFile') return `${JSON.stringify(path)} is a ${type}, not a plain file`
  const segments = path.split('/')
  const isOdd = segments.some(
    segment =>
      segment === '' ||
      segment.length > 255 ||
      /^\.{1,2}$|^\.git$|^\.tmp-/i.test(segment) ||
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused
      /[\u0000-\u001f\\:]/.test(segment),
  )
  if (isOdd || path.length > 1024)
    return `${JSON.stringify(path.slice(0, 200))} is not a path that an app has`
  if (!PLACES.some(place => place.test(path)))
    return `${JSON.stringify(path.slice(0, 200))} is no part of an app`
  return undefined
}

export function isArchiveTable(value: unknown): value is ArchiveTable {
  const isNumber = (number: unknown) =>
    number === null || (Number.isSafeInteger(number) && Number(number) > 0)
  return (
    isObject(value) &&
    value.format === 1 &&
    typeof value.loop_app_id === 'string' &&
    isNumber(value.version) &&
    isNumber(value.active) &&
    Array.isArray(value.files) &&
    value.files.every(
      file => isObject(file) && typeof file.path === 'string' && typeof file.sha256 === 'string',
    )
  )
}

/** Files that are not what the table says, or that it does not name. */
export function strangeFiles(table: ArchiveTable, hashes: Map<string, string>): string[] {
  const named = new Map(table.files.map(file => [file.path, file.sha256]))
  const wrong = [...named].filter(([path, sha256]) => hashes.get(path) !== sha256).map(([path]) => path)
  const extra = [...hashes.keys()].filter(path => path !== TABLE && !named.has(path))
  return [...wrong, ...extra]
}
