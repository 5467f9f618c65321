import { createHash } from 'node:crypto'
import { LoopaiError } from '../domain/errors.ts'
import { git, type Repository, zeros } from './git.ts'
import { gitIn } from './git-words.ts'
import { environmentOf, type Identity } from './identity.ts'

/** One path of a commit, relative to the data directory. */
export interface CommittedFile {
  path: string
  mode: '100644' | '100755' | '120000'
  /** For a link (120000): its target. */
  content: string | Uint8Array
}

/** A file with the id of its blob. */
export interface StoredFile extends CommittedFile {
  id: string
  /** True when git has the blob already. */
  isStored?: boolean
}

/** What a commit is made of. Paths are relative to the work tree. */
export interface CommitRequest {
  identity: Identity
  message: string
  files: StoredFile[]
  removed: string[]
  /** Paths whose objects in HEAD are asked for. */
  watched: string[]
  parent: string | undefined
  sign: boolean
}

export interface BuiltCommit {
  id: string
  /** `mode id` of each watched path in the parent, `null` where there is none. */
  before: (string | null)[]
}

/**
 * Writes blobs, trees and the commit without any index, in one process. No reference holds the commit until HEAD does, which is
 * also how `git commit` works.
 */
export async function buildCommit(repository: Repository, request: CommitRequest): Promise<BuiltCommit> {
  const { identity, parent, watched } = request
  const ref = 'refs/worktree/loopai'
  const chunks: (string | Uint8Array)[] = ['feature done\n']
  if (parent) chunks.push(...watched.map(name => `ls ${parent} ${quote(name)}\n`))
  chunks.push(
    `commit ${ref}\nmark :1\nauthor ${identity.author}\ncommitter ${identity.committer}\n`,
    ...data(request.message),
    parent ? `from ${parent}\n` : '',
    ...request.removed.map(name => `D ${quote(name)}\n`),
  )
  for (const file of request.files) {
    const name = quote(file.path)
    if (file.isStored) chunks.push(`M ${file.mode} ${file.id} ${name}\n`)
    else chunks.push(`M ${file.mode} inline ${name}\n`, ...data(file.content))
  }
  chunks.push(`ls ""\nget-mark :1\nreset ${ref}\nfrom ${zeros(repository)}\n\ndone\n`)
  const input = Buffer.concat(chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)))
  const said = (await git(repository.workTree, ['fast-import', '--quiet', '--force'], { input }))!
  const lines = said.trimEnd().split('\n')
  const id = lines.pop()!
  const tree = lines.pop()!.split(/[ \t]/)[2]!
  const before = parent ? lines.map(objectOf) : watched.map(() => null)
  return { id: request.sign ? await signCommit(repository, request, tree) : id, before }
}

/** Completes files by the objects that git makes of them. Only a text with CRLF may be stored differently than it is written. */
export async function asStored(
  repository: Repository,
  files: CommittedFile[],
  isOpaque: (name: string) => boolean,
): Promise<StoredFile[]> {
  return Promise.all(
    files.map(async file => {
      const hasCrlf = Buffer.from(file.content).includes('\r\n')
      if (!hasCrlf || isOpaque(file.path)) return { ...file, id: blobId(repository, file.content) }
      const args = ['hash-object', '-w', '--stdin', '--path', file.path]
      const id = (await git(repository.workTree, args, { input: file.content }))!.trim()
      return { ...file, id, isStored: true }
    }),
  )
}

function blobId(repository: Repository, content: string | Uint8Array): string {
  const bytes = Buffer.from(content)
  const hash = createHash(repository.objectFormat).update(`blob ${bytes.length}\0`)
  return hash.update(bytes).digest('hex')
}

async function signCommit(
  repository: Repository,
  { identity, message, parent }: CommitRequest,
  tree: string,
): Promise<string> {
  const parents = parent ? ['-p', parent] : []
  const options = { input: message, env: environmentOf(identity) }
  try {
    return (await git(repository.workTree, ['commit-tree', '-S', tree, ...parents], options))!.trim()
  } catch (cause) {
    throw new LoopaiError('GIT_FAILED', `the commit could not be signed: ${(cause as Error).message}`, {
      hint: `unlock the key, or turn signing off here with: ${gitIn(repository.workTree)} config commit.gpgSign false`,
      cause,
    })
  }
}

/** A line of `ls`: `mode type id TAB path`, or `missing path`. */
function objectOf(line: string): string | null {
  const [mode, , id] = line.split(/[ \t]/)
  return mode === 'missing' ? null : `${mode} ${id}`
}

function data(content: string | Uint8Array): (string | Uint8Array)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, '\n']
}

/** A path as fast-import reads it whatever bytes it has. */
function quote(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
