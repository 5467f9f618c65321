import os from 'node:os'
import type { Launch } from '../domain/launch.ts'
import type { Sandbox } from './sandbox.ts'

const EXECUTABLE = '/usr/bin/sandbox-exec'

/** What the loader and the system's libraries want, whatever the program is. */
const SYSTEM_FOLDERS = [
  '/usr/lib',
  '/System/Library',
  '/System/Volumes/Preboot/Cryptexes',
  '/private/var/db/dyld',
]
const SYSTEM_FACTS = [
  'hw.*',
  'kern.osrelease',
  'kern.ostype',
  'kern.osversion',
  'kern.hostname',
  'vm.loadavg',
]
const DEVICES = ['/dev/null', '/dev/urandom', '/dev/random', '/dev/dtracehelper']

/**
 * macOS: a profile that denies everything but reading what the launch names. Never run by the authors: the profile is tested as text, and the
 * live probe decides on each machine. There are no namespaces and no address space limits, so memory is held softly.
 */
const seatbelt: Sandbox = {
  name: 'seatbelt',

  obstacle() {
    if (os.platform() !== 'darwin') return 'Seatbelt exists on macOS only'
  },

  identity: () => os.release(),

  confine(launch) {
    return {
      ...launch,
      command: EXECUTABLE,
      args: ['-p', profile(launch), launch.command, ...launch.args],
      // Without fork there is no child for each request, so the process itself is used once.
      runner: { ...launch.runner, isolation: 'shared', alone: true },
      renews: false,
      singleUse: launch.singleUse || launch.runner.isolation === 'request',
    }
  },

  explain: message => message,
}

/** A Seatbelt profile. The last rule that matches counts, so the denials that must hold come last. */
export function profile(launch: Launch): string {
  const readable = launch.mounts.map(mount => mount.source)
  return [
    '(version 1)',
    '(deny default)',
    `(allow process-exec (literal ${quote(launch.command)}))`,
    `(allow file-read* ${[...readable, ...SYSTEM_FOLDERS].map(place => `(subpath ${quote(place)})`).join(' ')})`,
    `(allow file-read* file-write-data ${DEVICES.map(device => `(literal ${quote(device)})`).join(' ')})`,
    // A path is walked from the root, and each folder on the way is looked at.
    `(allow file-read-metadata ${ancestors(readable)
      .map(place => `(literal ${quote(place)})`)
      .join(' ')})`,
    `(allow sysctl-read ${SYSTEM_FACTS.map(fact => (fact.endsWith('*') ? `(sysctl-name-prefix ${quote(fact.slice(0, -1))})` : `(sysctl-name ${quote(fact)})`)).join(' ')})`,
    '(allow signal (target self))',
    '(deny process-fork)',
    '(deny network*)',
    '(deny mach-lookup)',
    '(deny file-write-create file-write-unlink file-write-mode)',
  ].join('\n')
}

function ancestors(places: string[]): string[] {
  const found = new Set<string>(['/'])
  for (const place of places) {
    const segments = place.split('/').slice(1, -1)
    for (let count = 1; count <= segments.length; count++) found.add(`/${segments.slice(0, count).join('/')}`)
  }
  return [...found].sort()
}

/** A string of the profile's language. */
function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

export default seatbelt
