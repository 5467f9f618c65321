import { existsSync } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'
import type { ChangedFile } from '../domain/finding.ts'
import { isObject } from '../domain/json.ts'
import { type Manifest, manifestProblems } from '../domain/version.ts'
import type { LoopApp } from './apps.ts'
import { git, type Repository } from './git.ts'

/** A commit that the present state is compared with. Paths are those in the data directory. */
export interface Base {
  ref: string
  /** Where the branches parted; the base itself when the history is too shallow to tell. */
  fork: string
  isShallow: boolean
  /** What differs between the fork and the files as they are now. */
  changes: ChangedFile[]
  /** Manifests of the base's tip that differ from those of the fork, by path. */
  newManifests: string[]
}

export async function readBase({ workTree, prefix }: Repository, ref: string): Promise<Base> {
  const commit = await git(
    workTree,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
    {
      accept: [1, 128],
    },
  )
  if (commit === undefined) {
    throw new LoopaiError('USAGE', `git knows no commit ${ref}`, {
      hint: 'name a branch, a tag or a commit; in CI, check out with fetch-depth: 0',
    })
  }
  const tip = commit.trim()
  const merge = (await git(workTree, ['merge-base', tip, 'HEAD'], { accept: [1, 128] }))?.trim()
  const fork = merge || tip
  const apps = `:(top,literal)${prefix}loop-apps`
  const compare = ['--name-status', '-z', '--no-renames', '--no-ext-diff']
  const [changed, theirs] = await Promise.all([
    git(workTree, ['diff', ...compare, fork, '--', apps]),
    git(workTree, ['diff-tree', '-r', ...compare, fork, tip, '--', apps]),
  ])
  return {
    ref,
    fork,
    isShallow: !merge,
    changes: parse(changed!, prefix),
    newManifests: parse(theirs!, prefix)
      .filter(({ path, change }) => path.endsWith('/manifest.json') && change !== 'deleted')
      .map(({ path }) => path),
  }
}

/** A file of a commit, if it is there. */
export async function findCommitted(
  { workTree, prefix }: Repository,
  commit: string,
  path: string,
): Promise<string | undefined> {
  return git(workTree, ['cat-file', 'blob', `${commit}:${prefix}${path}`], { accept: [128] })
}

/** The manifest of a version in a commit, if there is a valid one. */
export async function findCommittedManifest(
  repository: Repository,
  commit: string,
  path: string,
): Promise<Manifest | undefined> {
  const text = await findCommitted(repository, commit, path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && manifestProblems(value).length === 0
      ? (value as unknown as Manifest)
      : undefined
  } catch {
    return undefined
  }
}

/** Apps whose history is in HEAD and not here. Asks git once, and only when some app has none. */
export async function findLostHistories(
  { workTree, prefix }: Repository,
  apps: LoopApp[],
): Promise<LoopApp[]> {
  const without = apps.filter(app => !existsSync(app.paths.history))
  if (without.length === 0) return []
  const nameOf = ({ id }: LoopApp) => `${prefix}loop-apps/${id}/history.jsonl`
  const args = ['ls-tree', '--name-only', '-z', 'HEAD', '--', ...without.map(nameOf)]
  const committed = (await git(workTree, args, { accept: [128] }))?.split('\0')
  return without.filter(app => committed?.includes(nameOf(app)))
}

/** Paths in the data directory that git tracks. */
export async function listTracked({ workTree, prefix }: Repository): Promise<string[]> {
  const said = (await git(workTree, ['ls-files', '-z', '--', `:(top,literal)${prefix}loop-apps`]))!
  return said
    .split('\0')
    .filter(Boolean)
    .map(path => path.slice(prefix.length))
}

/** Paths in the data directory that a merge has left to a person. */
export async function listUnmerged({ workTree, prefix }: Repository): Promise<string[]> {
  const said = (await git(workTree, [
    'diff',
    '--name-only',
    '--diff-filter=U',
    '-z',
    '--',
    `:(top,literal)${prefix}`,
  ]))!
  return said
    .split('\0')
    .filter(Boolean)
    .map(path => path.slice(prefix.length))
}

const CHANGES: Record<string, ChangedFile['change']> = { A: 'added', D: 'deleted' }

function parse(said: string, prefix: string): ChangedFile[] {
  const fields = said.split('\0').filter(Boolean)
  return fields.flatMap((status, i) =>
    i % 2 === 0
      ? [{ path: fields[i + 1]!.slice(prefix.length), change: CHANGES[status[0]!] ?? 'modified' }]
      : [],
  )
}
