import os from 'node:os'
import type { Sandbox } from './sandbox.ts'
import { findArchitecture, stage1, stage2 } from './seccomp.ts'

const DEVICES = ['/dev/null', '/dev/urandom']

/**
 * For machines without user namespaces. The harness restricts itself before it loads the program, so paths stay as they are. All
 * processes of the user are in sight, hence no threads (the kernel would count the user's) and no signals beyond the own process.
 */
const landlock: Sandbox = {
  name: 'landlock',

  obstacle(launch) {
    if (os.platform() !== 'linux') return 'Landlock exists on Linux only'
    if (!findArchitecture()) return `there is no filter for ${os.arch()} processors`
    if (launch && !launch.takesFilter) return 'only the harness of Python can restrict itself'
  },

  identity: () => '',

  confine(launch) {
    const architecture = findArchitecture()!
    return {
      ...launch,
      runner: {
        ...launch.runner,
        readable: [...new Set([...launch.mounts.map(mount => mount.source), ...DEVICES])],
        isConfined: true,
        stage1: stage1(architecture).toString('base64'),
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

export default landlock
