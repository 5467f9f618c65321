import { spawn } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'

/** The git repository that a data directory is, or is a folder of. */
export interface Repository {
  /** Absolute path of the work tree. */
  workTree: string
  /** Path of the data directory in the work tree, with `/` at the end; empty when they are the same. */
  prefix: string
  gitDirectory: string
  /** Folder of our lock and our journal, below the git directory. */
  state: string
  index: string
  hooks: string
  objectFormat: string
}

/** Variables that tie a git process to another repository, as `git rev-parse --local-env-vars` names them. */
const LOCAL_VARIABLES = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_CONFIG',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  'GIT_OBJECT_DIRECTORY',
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_GRAFT_FILE',
  'GIT_INDEX_FILE',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_REPLACE_REF_BASE',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_COMMON_DIR',
]
const TIMEOUT_MS = 60_000

interface GitOptions {
  input?: string | Uint8Array
  /** More input, sent once git has said `after`. */
  confirm?: { after: string; input: () => string }
  env?: Record<string, string | undefined>
  /** Exit statuses that are answers, not failures. */
  accept?: number[]
  timeoutMs?: number
}

interface GitResult {
  status: number | null
  said: string
  complained: string
}

/** Runs git in a folder and returns its standard output; `undefined` for an accepted failure. */
export async function git(
  cwd: string,
  args: string[],
  options: GitOptions = {},
): Promise<string | undefined> {
  const result = await run(cwd, args, options)
  if (result.status === 0) return result.said
  if (result.status !== null && options.accept?.includes(result.status)) return undefined
  throw explain(result, cwd, args)
}

/** Node's own spawn: loading a library for it would cost more than all the git processes of a promotion together. */
function run(cwd: string, args: string[], options: GitOptions): Promise<GitResult> {
  const unset = Object.fromEntries(LOCAL_VARIABLES.map(name => [name, undefined]))
  const fixed = { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' }
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      cwd,
      env: { ...process.env, ...unset, ...fixed, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    // Not spawn's own time limit, which keeps this process alive when there is no git.
    const timer = setTimeout(() => child.kill(), options.timeoutMs ?? TIMEOUT_MS)
    const said: Buffer[] = []
    const complained: Buffer[] = []
    let { confirm } = options
    child.stdout!.on('data', (chunk: Buffer) => {
      said.push(chunk)
      if (!confirm || !Buffer.concat(said).includes(confirm.after)) return
      const { input } = confirm
      confirm = undefined
      child.stdin!.end(input())
    })
    child.stderr!.on('data', (chunk: Buffer) => complained.push(chunk))
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reject(explainNoGit(error))
    })
    child.on('close', status => {
      clearTimeout(timer)
      resolve({
        status,
        said: Buffer.concat(said).toString(),
        complained: Buffer.concat(complained).toString().trim(),
      })
    })
    // A git that fails early does not read on; its exit status says so.
    child.stdin?.on('error', () => {})
    if (options.input !== undefined) child.stdin!.write(options.input)
    if (!confirm) child.stdin?.end()
  })
}

/** How one folder differs from another beside it, as a patch. No setting and no attribute can make git run a program for it. */
export async function diffFolders(cwd: string, from: string, to: string): Promise<string> {
  const options = ['--no-color', '--no-ext-diff', '--no-textconv', '--src-prefix=', '--dst-prefix=']
  const args = ['diff', '--no-index', ...options, '--', from, to]
  const result = await run(cwd, args, {})
  if (result.status === 0 || result.status === 1) return result.said
  throw explain(result, cwd, args)
}

/** Version of the installed git, e.g. `2.39.5`, if there is one. */
export async function findGitVersion(): Promise<string | undefined> {
  try {
    return /\d+(\.\d+)+/.exec((await git('.', ['--version']))!)?.[0]
  } catch (error) {
    if (error instanceof LoopaiError && error.code === 'NO_GIT') return undefined
    throw error
  }
}

/** The repository around a data directory, or `undefined` when there is none. */
export async function findRepository(root: string): Promise<Repository | undefined> {
  const paths = ['loopai', 'index', 'hooks'].flatMap(name => ['--git-path', name])
  const questions = [
    '--show-toplevel',
    '--absolute-git-dir',
    ...paths,
    '--show-object-format',
    '--show-prefix',
  ]
  const answer = await git(root, ['rev-parse', '--path-format=absolute', ...questions], { accept: [128] })
  if (answer === undefined) return explainNoRepository(root)
  const [workTree, gitDirectory, state, index, hooks, objectFormat, prefix] = answer.split('\n')
  return {
    workTree: await realpath(workTree!),
    gitDirectory: gitDirectory!,
    state: state!,
    index: index!,
    hooks: hooks!,
    objectFormat: objectFormat!,
    prefix: prefix!,
  }
}

export async function openRepository(root: string): Promise<Repository> {
  const found = await findRepository(root)
  if (found) return found
  throw new LoopaiError('GIT_FAILED', `${root} is not in a git repository`, {
    hint: `make it one with: loopai init ${root}`,
  })
}

/** Makes a repository of a folder, on the user's default branch, else `main`. */
export async function initRepository(root: string): Promise<Repository> {
  const branch =
    (await git(root, ['config', '--get', 'init.defaultBranch'], { accept: [1] }))?.trim() || 'main'
  await git(root, ['init', '--quiet', `--initial-branch=${branch}`])
  return openRepository(root)
}

/** The object id that means none. */
export function zeros(repository: Repository): string {
  return '0'.repeat(repository.objectFormat === 'sha256' ? 64 : 40)
}

export async function findHead(repository: Repository): Promise<string | undefined> {
  const plain = peekHead(repository)
  if (plain) return plain
  const head = await git(repository.workTree, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    accept: [1, 128],
  })
  return head?.trim()
}

/** HEAD as the files say it, when it is on a branch that has a file of its own: saves a process. Whoever moves HEAD says from where. */
function peekHead({ gitDirectory, objectFormat }: Repository): string | undefined {
  try {
    const branch = /^ref: (refs\/heads\/[^\n]+)\n$/.exec(
      readFileSync(path.join(gitDirectory, 'HEAD'), 'utf8'),
    )
    if (!branch) return undefined
    const id = readFileSync(path.join(gitDirectory, branch[1]!), 'utf8')
    const length = objectFormat === 'sha256' ? 64 : 40
    return /^[0-9a-f]+\n$/.test(id) && id.length === length + 1 ? id.trimEnd() : undefined
  } catch {
    return undefined
  }
}

/** HEAD, and the paths (relative to the work tree) among `names` that differ from it in the index or on disk. Untracked ones do not count. */
export async function readStatus(
  repository: Repository,
  names: string[],
): Promise<{ head: string | undefined; changed: string[] }> {
  const args = [
    '--porcelain=v2',
    '--branch',
    '--no-ahead-behind',
    '-z',
    '--untracked-files=no',
    '--no-renames',
  ]
  const specs = names.map(name => `:(literal,top)${name}`)
  const said = (await git(repository.workTree, ['status', ...args, '--', ...specs]))!
  const records = said.split('\0').filter(Boolean)
  const head = records.find(record => record.startsWith('# branch.oid '))!.split(' ')[2]!
  const changed = records.filter(record => /^[1u] /.test(record))
  return {
    head: head === '(initial)' ? undefined : head,
    changed: changed.map(record =>
      record
        .split(' ')
        .slice(record.startsWith('1') ? 8 : 10)
        .join(' '),
    ),
  }
}

/** True when the repository around a folder is told to ignore it. */
export async function isIgnored(folder: string): Promise<boolean> {
  const parent = path.dirname(folder)
  return (await git(parent, ['check-ignore', '--quiet', folder], { accept: [1, 128] })) !== undefined
}

/** The repository around a data directory, and the paths in it among `paths` that differ from HEAD, staged or not, or are not tracked. */
export async function openWithChanges(
  root: string,
  paths: string[],
): Promise<{ repository: Repository; changed: string[] }> {
  const [opening, asking] = await Promise.allSettled([openRepository(root), readChanges(root, paths)])
  if (opening.status === 'rejected') throw opening.reason
  if (asking.status === 'rejected') throw asking.reason
  const repository = opening.value
  return { repository, changed: asking.value.map(name => name.slice(repository.prefix.length)) }
}

/** Paths, relative to the work tree. */
async function readChanges(root: string, paths: string[]): Promise<string[]> {
  const specs = paths.map(name => `:(literal)${name}`)
  const args = [
    'status',
    '--porcelain=v1',
    '-z',
    '--untracked-files=all',
    '--no-renames',
    '--ignored',
    '--',
    ...specs,
  ]
  return (await git(root, args))!
    .split('\0')
    .filter(Boolean)
    .map(line => line.slice(3))
}

function explainNoRepository(root: string): Promise<undefined> {
  return git(root, ['rev-parse']).then(
    () => undefined,
    error => {
      if (/not a git repository/.test(error.message)) return undefined
      throw error
    },
  )
}

function explainNoGit(error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return error
  return new LoopaiError('NO_GIT', 'git is not installed, or not on the PATH', {
    hint: 'apt-get install git',
    cause: error,
  })
}

/** A text as it may be said: an address in it may hold a password or a token. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, '//')
}

function explain({ status, complained }: GitResult, cwd: string, args: string[]): LoopaiError {
  const said = withoutCredentials(complained)
  if (/No space left on device|Disk quota exceeded/.test(said) || isFull(cwd)) {
    return new LoopaiError('DISK_FULL', 'no space left for the git repository', {
      hint: 'free some space and repeat the command; nothing was changed',
      details: { git: said },
    })
  }
  if (/Read-only file system|Permission denied|insufficient permission/.test(said)) {
    return new LoopaiError('NOT_WRITABLE', `git cannot write its repository: ${lastLine(said)}`, {
      hint: 'check the permissions of the .git folder',
      details: { git: said },
    })
  }
  // A repository of another user: git says itself what to type, after its message.
  const advice = /^\s*(git config --global --add safe\.directory .+)$/m.exec(said)?.[1]
  const reason = lastLine(said) || (status === null ? 'was ended, or took too long' : `failed (${status})`)
  return new LoopaiError('GIT_FAILED', `git ${args[0]}: ${reason}`, {
    ...(advice && { hint: advice }),
    details: { git: said },
  })
}

/** Git does not always say why it could not write. */
function isFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize < 16 * 1024
}

function lastLine(text: string): string {
  return text.split('\n').findLast(line => /^(fatal|error):/.test(line)) ?? text.split('\n').at(-1)!
}
