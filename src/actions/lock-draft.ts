import { readdir } from 'node:fs/promises'
import { askOfLock } from '../domain/asks.ts'
import type { Config } from '../domain/config.ts'
import type { Draft, DraftPackages } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import {
  environmentKey,
  isLockFor,
  LOCK,
  type Lock,
  parseLock,
  REQUIREMENTS,
  renderLock,
  requirementsOf,
} from '../domain/requirements.ts'
import { sha256 } from '../domain/sha256.ts'
import { packageFile } from '../package.ts'
import type { Interpreter } from '../runtimes/runtime.ts'
import type { LoopApp } from '../store/apps.ts'
import { findEnvironment } from '../store/environments.ts'
import type { DataDirectory } from '../store/root.ts'
import { isTrusted, trust } from '../store/trust.ts'
import { inspect } from '../workers/tool.ts'
import { debianNames, findLatestLock, findPython } from './environments.ts'
import { installLock, lockAndInstall } from './install-packages.ts'
import { refuseUntrusted } from './trust.ts'
import type { Workspace } from './workspace.ts'

const PATIENCE_MS = 20_000

type Files = Pick<Draft, 'files' | 'runtime' | 'entry'>

export interface LockOptions {
  data: DataDirectory
  app: LoopApp
  /** Where packages come from. */
  config: Pick<Config, 'packages'>
  /** The files are those of a version, which somebody else may have made. */
  isCopied?: boolean
}

/**
 * Gives a draft with a `requirements.txt` the lock that becomes part of its version, and installs what it names. As long as the requirements
 * stay what they are, so does the lock: a changed program keeps its packages. Whoever has a new one made has agreed to it.
 */
export async function lockDraft<Given extends Files>(
  workspace: Workspace,
  draft: Given,
  { data, app, config, isCopied = false }: LockOptions,
): Promise<Given & { packages?: DraftPackages }> {
  const text = contentOf(draft, REQUIREMENTS)
  const lines = text === undefined || draft.runtime !== 'python' ? [] : requirementsOf(text)
  if (text === undefined || lines.length === 0) return draft
  const interpreter = await findPython()
  if (config.packages === 'system') {
    const { lock, modules } = await findInstalled(interpreter, { text, lines })
    return withLock(draft, { from: 'system', lock, modules }, renderLock(lock))
  }
  const own = fitting(contentOf(draft, LOCK), text, interpreter)
  const kept = own ?? fitting(await findLatestLock(app), text, interpreter)
  if (kept && (isCopied || !own)) refuseUntrusted(data, askOfLock(kept.text, kept.lock), app.id)
  if (kept) await installLock(workspace, interpreter, kept)
  const locked = kept ?? (await lockAndInstall(workspace, interpreter, { text, lines }))
  const ask = askOfLock(locked.text, locked.lock)
  if (!isTrusted(data.root, ask)) await trust(data.root, ask, workspace.now())
  const site = findEnvironment(environmentKey(sha256(locked.text), interpreter.platform))!
  return withLock(draft, { from: 'index', lock: locked.lock, modules: await modulesIn(site) }, locked.text)
}

function withLock<Given extends Files>(
  draft: Given,
  packages: Omit<DraftPackages, 'lockSha256'>,
  text: string,
): Given & { packages: DraftPackages } {
  const files = draft.files.filter(file => file.path !== LOCK)
  return {
    ...draft,
    files: [...files, { path: LOCK, content: text }],
    packages: { ...packages, lockSha256: sha256(text) },
  }
}

/** A lock that was made of these requirements, and holds here. */
function fitting(
  text: string | undefined,
  requirements: string,
  { platform }: Interpreter,
): { text: string; lock: Lock } | undefined {
  if (text === undefined) return undefined
  const lock = parseLock(text, 'index')
  return isLockFor(lock, requirements, platform) ? { text, lock } : undefined
}

function contentOf({ files }: Files, name: string): string | undefined {
  const file = files.find(({ path }) => path === name)
  return file && Buffer.from(file.content).toString()
}

/** What the system has installed for the interpreter, if it fits. */
async function findInstalled(
  { executable, own }: Interpreter,
  { text, lines }: { text: string; lines: string[] },
): Promise<Pick<DraftPackages, 'lock' | 'modules'>> {
  const told = JSON.stringify([own?.folders ?? [], lines])
  const script = packageFile('templates', 'harness', 'packages.py')
  const { status, stdout, stderr } = await inspect(executable, ['-I', '-S', script, told], PATIENCE_MS)
  if (status !== 0) throw new Error(`packages.py ended with ${status}: ${stderr}`)
  const { missing, pins, modules } = JSON.parse(stdout) as Installed
  if (missing.length > 0) {
    const names = missing.map(requirement => ({
      name: /^[\w.-]+/.exec(requirement)![0],
      version: '',
      hashes: [],
    }))
    throw new LoopaiError('PACKAGES_FAILED', `${executable} does not have ${missing.join(', ')}`, {
      hint: `on Debian: ${debianNames({ pins: names })}; or let Loopai install wheels, with packages: index in config.yaml`,
      details: { missing },
    })
  }
  const found = pins.map(([name, version]) => ({ name, version, hashes: [] }))
  return { lock: { requirements: sha256(text), platform: 'any', pins: found }, modules }
}

/** What `packages.py` prints. */
interface Installed {
  missing: string[]
  pins: [name: string, version: string][]
  modules: string[]
}

/** Names that can be imported from a folder with packages. */
async function modulesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).map(
    name => /^([A-Za-z_]\w*)(\.py|\..*\.so|\.so|\.pyd)?$/.exec(name)?.[1],
  )
  return names.filter(name => name !== undefined && name !== '__pycache__' && name !== 'bin') as string[]
}
