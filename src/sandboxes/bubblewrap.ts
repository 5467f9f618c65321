import { accessSync, constants, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Launch, Mount } from '../domain/launch.ts'
import type { Sandbox } from './sandbox.ts'
import { type Architecture, bothStages, findArchitecture, stage1, stage2 } from './seccomp.ts'

// --as-pid-1: the harness cannot be killed from inside, and its end is the end of the namespace.
const NAMESPACES = [
  ...[
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--unshare-net',
  ],
  ...['--as-pid-1', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', 'sandbox'],
]
// Neither --dev nor --proc: a tmpfs would be writable, and /proc tells too much.
const DEVICES = [
  '--dir',
  '/dev',
  '--dev-bind',
  '/dev/null',
  '/dev/null',
  '--dev-bind',
  '/dev/urandom',
  '/dev/urandom',
]
const THREADS = 16
const FIRST_PROCESS = 1

/** Namespaces of its own, a file system of nothing but the launch's mounts, read-only, and two system call filters. */
const bubblewrap: Sandbox = {
  name: 'bubblewrap',

  obstacle() {
    if (os.platform() !== 'linux') return 'bubblewrap exists on Linux only'
    if (!findArchitecture()) return `there is no filter for ${os.arch()} processors`
    if (!findBwrap()) return 'bwrap is not installed'
  },

  identity() {
    const bwrap = findBwrap()
    if (!bwrap) return ''
    const { size, mtimeMs } = statSync(bwrap)
    return [bwrap, size, mtimeMs].join(':')
  },

  confine(launch) {
    const architecture = findArchitecture()!
    const program = inside(launch.mounts, launch.runner.program)
    return {
      ...launch,
      command: findBwrap()!,
      args: [
        ...NAMESPACES,
        ...launch.mounts.flatMap(mount => ['--ro-bind', mount.source, mount.target]),
        ...DEVICES,
        ...['--chdir', path.dirname(program), '--remount-ro', '/', '--seccomp', '4', '--'],
        ...[launch.command, ...launch.args].map(argument => inside(launch.mounts, argument)),
      ],
      ...filters(architecture, launch),
    }
  },

  explain(message) {
    const known = MESSAGES.find(([pattern]) => pattern.test(message))
    return known ? `${known[1]} (${message})` : message
  },
}

const MESSAGES: [RegExp, string][] = [
  [
    /setting up uid map: Permission denied|Failed RTM_NEWADDR/,
    'AppArmor keeps bwrap from making namespaces: install an AppArmor profile for bwrap',
  ],
  [
    /Creating new namespace failed: (Operation not permitted|Permission denied)|No permissions to create new namespace/,
    'this container or system does not let users make namespaces',
  ],
  [/No space left on device|ENOSPC/, 'the limit on namespaces is used up: raise user.max_user_namespaces'],
  [/setting up uid map: Operation not permitted/, 'root lacks CAP_SETFCAP here: run as an ordinary user'],
  [/[Uu]nknown option/, 'this bwrap is too old'],
]

function filters(architecture: Architecture, launch: Launch): Pick<Launch, 'runner' | 'filter'> {
  const { mounts, runner: given } = launch
  const runner = {
    ...given,
    program: inside(mounts, given.program),
    ...(given.packages && { packages: given.packages.map(folder => inside(mounts, folder)) }),
    isConfined: true,
  }
  if (!launch.takesFilter) return { runner, filter: bothStages(architecture, FIRST_PROCESS) }
  // The kernel does not count threads for uid 0, so that root's programs get none.
  const threads = process.getuid?.() === 0 ? undefined : THREADS
  const second = stage2(architecture, { threads: threads !== undefined }).toString('base64')
  return { runner: { ...runner, stage2: second, ...(threads && { threads }) }, filter: stage1(architecture) }
}

/** The path inside the sandbox of a path on this machine. What is not a mounted path stays as it is. */
function inside(mounts: Mount[], place: string): string {
  const mount = mounts.find(({ source }) => place === source || place.startsWith(`${source}/`))
  return mount ? mount.target + place.slice(mount.source.length) : place
}

function findBwrap(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute)
  return folders.map(folder => path.join(folder, 'bwrap')).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

export default bubblewrap
