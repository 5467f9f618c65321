import { closeSync, openSync, readSync, realpathSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Launch } from '../domain/launch.ts'
import { packageFile } from '../package.ts'
import type { Sandbox } from './sandbox.ts'
import { bothStages, findArchitecture, PID_SLOT, stage1, stage2 } from './seccomp.ts'

const DEVICES = ['/dev/null', '/dev/urandom']

/**
 * For machines without user namespaces. The harness restricts itself before it loads the program, so paths stay as they are. All
 * processes of the user are in sight, hence no threads (the kernel would count the user's) and no signals beyond the own process. A harness
 * that cannot restrict itself is started by Python's, which becomes it; its threads are not counted.
 */
const landlock: Sandbox = {
  name: 'landlock',

  obstacle(launch) {
    if (os.platform() !== 'linux') return 'Landlock exists on Linux only'
    if (!findArchitecture()) return `there is no filter for ${os.arch()} processors`
    if (launch && !launch.takesFilter && !findPython())
      return 'a program in JavaScript is confined by a Python, and there is none on the PATH'
  },

  identity: () => findPython() ?? '',

  confine(launch) {
    if (!launch.takesFilter) return throughPython(launch)
    const architecture = findArchitecture()!
    return {
      ...launch,
      runner: {
        ...launch.runner,
        readable: readableBy(launch),
        isConfined: true,
        stage1: stage1(architecture, { readOnly: true }).toString('base64'),
        stage2: stage2(architecture, { threads: false }).toString('base64'),
      },
    }
  },

  explain(message) {
    if (/landlock.*(not implemented|not supported)/i.test(message))
      return 'this kernel has no Landlock (5.13 or newer is needed)'
    if (/landlock.*not permitted/i.test(message)) return 'the filter of this container forbids Landlock'
    return message
  },
}

function readableBy({ mounts }: Launch): string[] {
  return [...new Set([...mounts.map(mount => mount.source), ...DEVICES])]
}

/** Of what can be read, only the interpreter and the loader that the kernel starts for it can be executed. */
function throughPython(launch: Launch): Launch {
  const readable = readableBy(launch)
  const executable = readable.filter(place => place === launch.command || isLoader(place))
  const filter = bothStages(findArchitecture()!, PID_SLOT, { readOnly: true }).toString('base64')
  const harness = packageFile('templates', 'harness', 'runner.py')
  const strict = JSON.stringify({ readable, executable, filter })
  return {
    ...launch,
    command: findPython()!,
    args: ['-s', '-S', '-B', '-X', 'utf8', harness, strict, launch.command, ...launch.args],
    runner: { ...launch.runner, isConfined: true },
  }
}

function isLoader(place: string): boolean {
  return /^ld(64)?[-.].*\.so/.test(path.basename(place))
}

/** An interpreter itself: a shim would be a script that starts other programs. */
function findPython(): string | undefined {
  const { LOOPAI_PYTHON: chosen, PATH = '' } = process.env
  const folders = PATH.split(path.delimiter).filter(path.isAbsolute)
  const candidates = [
    ...(chosen ? [path.resolve(chosen)] : []),
    ...folders.map(folder => path.join(folder, 'python3')),
  ]
  return candidates.map(realpathOrNothing).find(place => place !== undefined && isBinary(place))
}

function realpathOrNothing(place: string): string | undefined {
  try {
    return realpathSync(place)
  } catch {
    return undefined
  }
}

function isBinary(place: string): boolean {
  try {
    const descriptor = openSync(place, 'r')
    const start = Buffer.alloc(4)
    readSync(descriptor, start)
    closeSync(descriptor)
    return start.toString('latin1') === '\x7fELF'
  } catch {
    return false
  }
}

export default landlock
