import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import {
  describePins,
  environmentKey,
  type Lock,
  normalName,
  type Pin,
  parseLock,
  renderLock,
} from '../domain/requirements.ts'
import { sha256 } from '../domain/sha256.ts'
import { candidatesOf } from '../runtimes/candidates.ts'
import {
  complaintOf,
  type Installer,
  installArguments,
  installerEnvironment,
  pipOf,
  refusalOf,
  resolveArguments,
  uvOf,
} from '../runtimes/installers.ts'
import type { Interpreter } from '../runtimes/runtime.ts'
import { findEnvironment, placeEnvironment, withWorkFolder } from '../store/environments.ts'
import { runTool } from '../workers/tool.ts'
import type { Workspace } from './workspace.ts'

/** Makes a lock of requirements and installs what it names. The text is what a version keeps. */
export function lockAndInstall(
  workspace: Workspace,
  interpreter: Interpreter,
  requirements: { text: string; lines: string[] },
): Promise<{ text: string; lock: Lock }> {
  return withWorkFolder(async work => {
    const place = placeIn(work)
    const { lines } = requirements
    await writeFile(place.requirements, `${lines.join('\n')}\n`)
    await Promise.all([mkdir(place.wheels), mkdir(place.temporary)])
    const installer = findInstaller(workspace, interpreter)
    workspace.progress({ stage: `${installer.name} is choosing packages`, done: 0, total: 2 })
    const python = interpreter.executable
    const printed = await run(workspace, installer, resolveArguments(installer, { python, ...place }), {
      interpreter,
      place,
      what: lines.join(', '),
    })
    const wheels = installer.name === 'pip' ? place.wheels : undefined
    const found = wheels ? await pinsOfWheels(wheels, interpreter) : pinsOfUv(printed)
    const lock = { requirements: sha256(requirements.text), ...found }
    const text = renderLock(lock)
    await install(workspace, interpreter, { work, text, lock, wheels, installer })
    return { text, lock }
  })
}

/** Installs exactly what a lock names, unless it is there. */
export async function installLock(
  workspace: Workspace,
  interpreter: Interpreter,
  { text, lock }: { text: string; lock: Lock },
): Promise<void> {
  if (findEnvironment(environmentKey(sha256(text), interpreter.platform))) return
  await withWorkFolder(async work => {
    await mkdir(placeIn(work).temporary)
    const installer = findInstaller(workspace, interpreter)
    await install(workspace, interpreter, { work, text, lock, installer })
  })
}

interface Task {
  work: string
  text: string
  lock: Lock
  installer: Installer
  wheels?: string | undefined
}

async function install(
  workspace: Workspace,
  interpreter: Interpreter,
  { work, text, lock, installer, wheels }: Task,
): Promise<void> {
  const key = environmentKey(sha256(text), interpreter.platform)
  if (findEnvironment(key)) return
  const place = placeIn(work)
  const packages = describePins(lock.pins)
  workspace.progress({
    stage: `${installer.name} is installing ${packages.length} packages`,
    done: 1,
    total: 2,
  })
  // What was understood of it, never the text itself: tools see lines where there are none for us.
  await writeFile(place.lock, renderLock(lock))
  await mkdir(place.site)
  const python = interpreter.executable
  await run(
    workspace,
    installer,
    installArguments(installer, { python, lock: place.lock, target: place.site, wheels }),
    { interpreter, place, what: packages.join(', '), lock },
  )
  await placeEnvironment(key, work, place.site, {
    lock: sha256(text),
    platform: interpreter.platform,
    packages,
  })
}

type Place = ReturnType<typeof placeIn>

function placeIn(work: string) {
  const at = (name: string) => path.join(work, name)
  return {
    work,
    requirements: at('requirements.txt'),
    lock: at('requirements.lock'),
    wheels: at('wheels'),
    site: at('site'),
    temporary: at('tmp'),
  }
}

/** uv when it is there: it is faster, and its locks hold for all platforms. */
function findInstaller({ env }: Workspace, { executable }: Interpreter): Installer {
  const wanted = env.LOOPAI_INSTALLER
  const [uv] = wanted === 'pip' ? [] : candidatesOf(['uv'], env)
  if (uv !== undefined) return uvOf(uv)
  if (wanted === undefined || wanted === '' || wanted === 'pip') return pipOf(executable)
  throw new LoopaiError('PACKAGES_FAILED', `LOOPAI_INSTALLER is ${wanted}, and that is not on the PATH`, {
    hint: 'it is pip or uv',
  })
}

interface Circumstances {
  interpreter: Interpreter
  place: Place
  what: string
  /** What is installed, when it is known. */
  lock?: Lock
}

async function run(
  { cwd, env, signal }: Workspace,
  installer: Installer,
  args: string[],
  circumstances: Circumstances,
): Promise<string> {
  const { work, temporary } = circumstances.place
  // uv takes settings from files on the way up from here, which may have been pulled; pip takes none, and its variables may name relative paths.
  const here = installer.name === 'pip' ? cwd : path.parse(work).root
  const options = { cwd: here, env: installerEnvironment(env, temporary), signal }
  const { status, stdout, stderr } = await runTool(installer.command, args, options)
  if (status === 0) return stdout
  throw explain(installer, `${stdout}\n${stderr}`, circumstances)
}

/** A refusal of the tool as one of ours. */
function explain({ name }: Installer, said: string, { interpreter, what, lock }: Circumstances): LoopaiError {
  const { platform, executable } = interpreter
  const lines = complaintOf(said)
  const refusal = refusalOf(said)
  const details = { refusal, said: said.slice(-4096) }
  const failed = (message: string, hint: string) =>
    new LoopaiError('PACKAGES_FAILED', [message, ...lines].join('\n  '), {
      hint,
      details,
    })
  const elsewhere =
    lock && lock.platform !== 'any' && lock.platform !== platform
      ? `the lock was made for ${lock.platform}, and this is ${platform}: make a version for it with \`loopai add <app> --from <app@version>\`; with uv installed, locks hold for all platforms`
      : undefined
  switch (refusal) {
    case 'no-pip':
      return new LoopaiError(
        'PACKAGES_FAILED',
        `installing ${what} needs pip or uv, and ${executable} has no pip`,
        {
          hint: '`apt-get install python3-pip`, or install uv',
          details,
        },
      )
    case 'disk':
      return new LoopaiError('DISK_FULL', `no space left to install ${what}`, {
        hint: 'free some space and repeat the command; nothing was kept',
        details,
      })
    case 'hash':
      return new LoopaiError(
        'INTEGRITY',
        [`what the index has is not what the lock names (${what})`, ...lines].join('\n  '),
        {
          hint: elsewhere ?? 'nothing was kept; ask whoever made the lock, or lock anew with: loopai add',
          details,
        },
      )
    case 'network':
      return failed(
        `the package index cannot be reached, and these are missing: ${what}`,
        'connect to the network, or name an index or a folder with wheels (PIP_INDEX_URL, PIP_FIND_LINKS; UV_INDEX_URL, UV_FIND_LINKS)',
      )
    case 'conflict':
      return failed(`no choice of versions fits together: ${what}`, 'loosen requirements.txt')
    case 'no-wheel':
      return failed(
        `not all of these are to be had as wheels for ${platform}: ${what}`,
        elsewhere ??
          'check the names; what has to be compiled is not installed, since that would run its code: another version may have a wheel',
      )
    case 'other':
      return failed(`${name} could not install ${what}`, 'the lines above are its own; try it by hand')
  }
}

const WHEEL = /^([^-]+)-([^-]+)(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl$/

/** What was fetched is what the lock names. It holds everywhere when all of it does. */
async function pinsOfWheels(folder: string, { platform }: Interpreter): Promise<Omit<Lock, 'requirements'>> {
  const names = (await readdir(folder)).sort()
  const pins = await Promise.all(
    names.map(async (file): Promise<Pin> => {
      const [, name, version] = WHEEL.exec(file) ?? []
      if (!name || !version) throw new Error(`${file} is not a wheel`)
      return { name: normalName(name), version, hashes: [sha256(await readFile(path.join(folder, file)))] }
    }),
  )
  const isForAll = names.every(file => file.endsWith('-none-any.whl'))
  return { platform: isForAll ? 'any' : platform, pins }
}

function pinsOfUv(printed: string): Omit<Lock, 'requirements'> {
  const head = renderLock({ requirements: '0'.repeat(64), platform: 'any', pins: [] })
  return { platform: 'any', pins: parseLock(head + printed, 'index').pins }
}
