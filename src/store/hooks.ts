import { constants } from 'node:fs'
import { access, copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { StoredFile } from './commit.ts'
import { git, type Repository } from './git.ts'

const HOOKS = ['pre-commit', 'commit-msg'] as const
export type HookName = (typeof HOOKS)[number]

const TIMEOUT_MS = 5 * 60_000
const NO_HOOKS = 'set  git: {hooks: none}  in loopai.yaml to commit without hooks'

/** The user's hooks that git would run around a commit. */
export async function findHooks(repository: Repository): Promise<HookName[]> {
  const isRunnable = (name: HookName) =>
    access(path.join(repository.hooks, name), constants.X_OK).then(
      () => true,
      () => false,
    )
  const found = await Promise.all(HOOKS.map(isRunnable))
  return HOOKS.filter((_, i) => found[i])
}

/** What the hooks are to judge: the files are in the work tree, or under a temporary name when they replace others. */
interface Judged {
  commit: string
  message: string
  files: StoredFile[]
  staged: { from: string; file: { path: string } }[]
}

/** Runs hooks on an index of their own that holds HEAD and our files. Returns the message, which `commit-msg` may edit. */
export async function runHooks(repository: Repository, hooks: HookName[], judged: Judged): Promise<string> {
  const index = path.join(repository.state, 'index-hooks')
  const message = path.join(repository.state, 'message')
  const env = {
    GIT_INDEX_FILE: index,
    GIT_EDITOR: ':',
    LC_ALL: process.env.LC_ALL,
    GIT_OPTIONAL_LOCKS: undefined,
  }
  const run = (name: HookName, args: string[]) =>
    git(repository.workTree, ['hook', 'run', name, ...args], { env, timeoutMs: TIMEOUT_MS }).catch(cause => {
      throw refused(name, cause)
    })
  try {
    if (hooks.includes('pre-commit')) {
      await copyFile(repository.index, index).catch(() => {})
      await git(repository.workTree, ['read-tree', '--reset', judged.commit], {
        env: { GIT_INDEX_FILE: index },
      })
      await run('pre-commit', [])
      await refuseRewritten(repository, index, judged)
    }
    if (!hooks.includes('commit-msg')) return judged.message
    await writeFile(message, judged.message)
    await run('commit-msg', ['--', message])
    return await readFile(message, 'utf8')
  } finally {
    await Promise.all([index, message].map(file => rm(file, { force: true })))
  }
}

/** A version is what its digest says; a hook that formats files would make another one of it. */
async function refuseRewritten(repository: Repository, index: string, judged: Judged): Promise<void> {
  const env = { GIT_INDEX_FILE: index }
  const args = ['diff-index', '--cached', '--name-only', '-z', judged.commit]
  const entered = (await git(repository.workTree, args, { env }))!.split('\0').filter(Boolean)
  const places = new Map(judged.staged.map(({ from, file }) => [file.path, from]))
  const written = await Promise.all(
    judged.files.map(async file => {
      if (file.mode === '120000') return []
      const found = [file.path, places.get(file.path)].flatMap(name => name ?? [])
      const contents = await Promise.all(found.map(name => readIfThere(path.join(repository.workTree, name))))
      return contents.some(bytes => bytes?.equals(Buffer.from(file.content))) ? [] : [file.path]
    }),
  )
  const rewritten = [...new Set([...entered, ...written.flat()])]
  if (rewritten.length === 0) return
  throw new LoopaiError('HOOK_REFUSED', `the pre-commit hook rewrote ${rewritten.slice(0, 3).join(', ')}`, {
    hint: `let the hook leave loop-apps/*/artifacts alone, or ${NO_HOOKS}`,
    details: { rewritten },
  })
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch(() => undefined)
}

function refused(name: HookName, cause: unknown): unknown {
  if (!(cause instanceof LoopaiError) || cause.code !== 'GIT_FAILED') return cause
  const said = String(cause.details.git ?? '').trim()
  return new LoopaiError('HOOK_REFUSED', `the ${name} hook refused the commit${said && `:\n${said}`}`, {
    hint: `do as it says, or ${NO_HOOKS}`,
    cause,
  })
}
