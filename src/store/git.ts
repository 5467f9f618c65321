import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { LoopaiError } from '../domain/errors.ts'

/** The git repository that a data directory is, or is a folder of. */
export interface Repository {
  /** Absolute path of the work tree. */
  workTree: string
  /** Path of the data directory in the work tree, with `/` at the end; empty when they are the same. */
  prefix: string
  gitDirectory: string
  /** Folder of our lock, below the git directory. */
  state: string
  index: string
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
  env?: Record<string, string>
  /** Exit statuses that are answers, not failures. */
  accept?: number[]
}

/** Runs git in a folder and returns its standard output; `undefined` for an accepted failure. */
export async function git(
  cwd: string,
  args: string[],
  options: GitOptions = {},
): Promise<string | undefined> {
  const unset = Object.fromEntries(LOCAL_VARIABLES.map(name => [name, undefined]))
  const fixed = { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' }
  const result = await execa('git', args, {
    cwd,
    env: { ...unset, ...fixed, ...options.env },
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    stripFinalNewline: false,
    timeout: TIMEOUT_MS,
    reject: false,
  })
  if (!result.failed) return result.stdout
  if (result.exitCode !== undefined && options.accept?.includes(result.exitCode)) return undefined
  throw explain(result, args)
}

/** The repository around a data directory, or `undefined` when there is none. */
export async function findRepository(root: string): Promise<Repository | undefined> {
  const questions = [
    '--show-toplevel',
    '--absolute-git-dir',
    '--git-path',
    'loopai',
    '--git-path',
    'index',
    '--show-prefix',
  ]
  const answer = await git(root, ['rev-parse', '--path-format=absolute', ...questions], { accept: [128] })
  if (answer === undefined) return explainNoRepository(root)
  const [workTree, gitDirectory, state, index, prefix] = answer.split('\n')
  return {
    workTree: await realpath(workTree!),
    gitDirectory: gitDirectory!,
    state: state!,
    index: index!,
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

export async function findHead(repository: Repository): Promise<string | undefined> {
  const head = await git(repository.workTree, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {
    accept: [1, 128],
  })
  return head?.trim()
}

/** True when the repository around a folder is told to ignore it. */
export async function isIgnored(folder: string): Promise<boolean> {
  const parent = path.dirname(folder)
  return (await git(parent, ['check-ignore', '--quiet', folder], { accept: [1, 128] })) !== undefined
}

/** Paths (relative to the data directory) among `paths` that differ from HEAD, staged or not, or are not tracked. */
export async function changedPaths(repository: Repository, paths: string[]): Promise<string[]> {
  const specs = paths.map(name => `:(literal,top)${repository.prefix}${name}`)
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
  const out = (await git(repository.workTree, args))!
  return out
    .split('\0')
    .filter(Boolean)
    .map(line => line.slice(3 + repository.prefix.length))
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

function explain(
  result: { code?: string; stderr?: unknown; timedOut?: boolean },
  args: string[],
): LoopaiError {
  const said = String(result.stderr ?? '').trim()
  if (result.code === 'ENOENT') {
    return new LoopaiError('NO_GIT', 'git is not installed, or not on the PATH', {
      hint: 'apt-get install git',
    })
  }
  if (/No space left on device|Disk quota exceeded/.test(said)) {
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
  const reason = result.timedOut ? `took longer than ${TIMEOUT_MS / 1000} s` : lastLine(said) || 'failed'
  return new LoopaiError('GIT_FAILED', `git ${args[0]}: ${reason}`, { details: { git: said } })
}

function lastLine(text: string): string {
  return text.split('\n').findLast(line => /^(fatal|error):/.test(line)) ?? text.split('\n').at(-1)!
}
