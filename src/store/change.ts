import path from 'node:path'
import type { RootConfig } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { temporaryName } from './atomic.ts'
import { asStored, type CommittedFile, type StoredFile } from './commit.ts'
import type { Repository } from './git.ts'
import type { IndexChange } from './git-index.ts'
import { findHooks, type HookName } from './hooks.ts'
import type { GitUser } from './identity.ts'
import { isThere, type Placement, stage } from './placing.ts'
import { step } from './steps.ts'

/** A change of state: what is committed, and how it gets into the work tree. Paths are relative to the data directory. */
export interface Commit {
  subject: string
  /** The reason that the user gave. */
  body?: string | undefined
  trailers: Record<string, string>
  /** Written in this order once the commit has landed, so that a link comes last; except those that a prepared folder brings. */
  files: CommittedFile[]
  /** Folders that are claimed by renaming them into place. They belong to the transaction: when it fails, they are gone. */
  folders?: PreparedFolder[]
  removed?: string[]
  /** A flip only moves a pointer: it runs no hooks, and does not wait for long when another git command holds the index. */
  kind?: 'content' | 'flip'
  /** Made where `git.tags` asks for tags. */
  tag?: string | undefined
}

/** A folder that was filled under a temporary name, its absolute path. */
export interface PreparedFolder {
  from: string
  to: string
}

/** Whose repository it is, and what they want of it. */
export interface Writer {
  repository: Repository
  user: GitUser
  settings: RootConfig['git']
}

/** A commit made concrete. All paths are relative to the work tree. */
export interface Change {
  kind: 'content' | 'flip'
  subject: string
  message: string
  tag: string | undefined
  files: StoredFile[]
  removed: string[]
  plan: Placement[]
  /** What is written to temporary names. */
  staged: { from: string; file: CommittedFile }[]
  /** Paths that nobody else may have changed. */
  watched: string[]
  hooks: HookName[]
}

/** Decides what a commit writes and where; changes nothing but git's store of blobs. */
export async function planChange(writer: Writer, commit: Commit): Promise<Change> {
  const { repository, settings, user } = writer
  const { prefix, workTree } = repository
  const kind = commit.kind ?? 'content'
  refuseOutside(commit)
  const folders = (commit.folders ?? []).map(({ from, to }) => ({
    from: path.relative(workTree, from),
    claim: prefix + to,
  }))
  const isInFolder = (name: string) => folders.some(folder => name.startsWith(`${folder.claim}/`))
  const files = commit.files.map(file => ({ ...file, path: prefix + file.path }))
  const single = files.filter(file => !isInFolder(file.path))
  const removed = (commit.removed ?? []).map(name => prefix + name)
  const hasLinks = user.setting('core.symlinks') !== 'false'
  const staged = single.map(file => ({
    from: path.relative(workTree, temporaryName(path.join(workTree, file.path))),
    file: file.mode === '120000' && !hasLinks ? { ...file, mode: '100644' as const } : file,
  }))
  const placed = await Promise.all(
    staged.map(async ({ from, file }): Promise<Placement> => {
      const isNew = kind === 'content' && !(await isThere(path.join(workTree, file.path)))
      return isNew ? { claim: file.path, from } : { replace: file.path, from }
    }),
  )
  return {
    kind,
    subject: settings.message_prefix + commit.subject,
    message: messageOf(commit, settings.message_prefix),
    tag: settings.tags ? commit.tag : undefined,
    files: await asStored(repository, files, isInFolder),
    removed,
    plan: [...folders, ...placed, ...removed.map(name => ({ remove: name }))],
    staged,
    watched: [...folders.map(folder => folder.claim), ...single.map(file => file.path), ...removed],
    hooks: kind === 'content' && settings.hooks === 'run' ? await findHooks(repository) : [],
  }
}

/** Whatever a path was made of, it stays in the data directory. */
function refuseOutside({ files, folders = [], removed = [] }: Commit): void {
  const names = [...files.map(file => file.path), ...folders.map(folder => folder.to), ...removed]
  const odd = names.find(name => path.posix.normalize(name) !== name || /^(\/|\.\.(\/|$))/.test(name))
  if (odd !== undefined)
    throw new LoopaiError('INTEGRITY', `${JSON.stringify(odd)} is not a path in the data directory`)
}

/** What the user's index has to say of it. `before` are the objects of the watched paths. */
export function entriesOf({ files, removed, watched }: Change, before: (string | null)[]): IndexChange[] {
  const known = new Map(watched.map((name, i) => [name, before[i] ?? null]))
  return [
    ...removed.map(name => ({ path: name, before: known.get(name) ?? null, after: null })),
    ...files.map(file => ({
      path: file.path,
      before: known.get(file.path) ?? null,
      after: `${file.mode} ${file.id}`,
    })),
  ]
}

/** Writes everything under its temporary name. */
export async function stageFiles(workTree: string, staged: Change['staged']): Promise<void> {
  for (const { from, file } of staged) {
    const place = path.join(workTree, from)
    if (!(await isThere(place))) await stage(place, file.mode, file.content)
    step('staged')
  }
}

function messageOf({ subject, body, trailers }: Commit, prefix: string): string {
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value.replace(/\s+/g, ' ')}`)
  return [prefix + subject, body?.trim(), lines.join('\n')].filter(Boolean).join('\n\n').concat('\n')
}
