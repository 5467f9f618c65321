import { isDeepStrictEqual } from 'node:util'
import { scoreAtBirth, storedVerdicts } from './evaluation.ts'
import { type Comparison, compare, type Score } from './scorecard.ts'
import type { Manifest, VersionFile } from './version.ts'

/** How one version differs from another, as far as their manifests tell. */
export interface Difference {
  files: { path: string; change: 'added' | 'removed' | 'changed' }[]
  contract: { key: string; from: unknown; to: unknown }[]
  scores: { from: Score | null; to: Score | null; comparison: Comparison | null }
}

const CONTRACT = [
  'runtime',
  'entry',
  'input_schema',
  'output_schema',
  'limits',
  'isolation',
  'dependencies',
] as const

export function differenceOf(from: Manifest, to: Manifest): Difference {
  return {
    files: fileChanges(from.files, to.files),
    contract: contractChanges(from, to),
    scores: scores(from, to),
  }
}

function fileChanges(from: VersionFile[], to: VersionFile[]): Difference['files'] {
  const before = new Map(from.map(file => [file.path, file]))
  const after = new Map(to.map(file => [file.path, file]))
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path): Difference['files'] => {
    const [old, now] = [before.get(path), after.get(path)]
    if (!old) return [{ path, change: 'added' }]
    if (!now) return [{ path, change: 'removed' }]
    return isDeepStrictEqual(old, now) ? [] : [{ path, change: 'changed' }]
  })
}

function contractChanges(from: Manifest, to: Manifest): Difference['contract'] {
  return CONTRACT.filter(key => !isDeepStrictEqual(from[key], to[key])).map(key => ({
    key,
    from: from[key],
    to: to[key],
  }))
}

function scores({ evaluation: from }: Manifest, { evaluation: to }: Manifest): Difference['scores'] {
  return {
    from: from ? scoreAtBirth(from) : null,
    to: to ? scoreAtBirth(to) : null,
    comparison: from && to ? compare(storedVerdicts(to), storedVerdicts(from)) : null,
  }
}
