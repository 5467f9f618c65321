import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Launch } from '../../src/domain/launch.ts'
import { packageFile } from '../../src/package.ts'
import bubblewrap from '../../src/sandboxes/bubblewrap.ts'
import landlock from '../../src/sandboxes/landlock.ts'

export type Protection = 'bubblewrap' | 'landlock' | 'usual'

/** The sandboxes, and what one usually types with bwrap: on that, the attacks must show that they are alive. */
export const protections: Record<Protection, (launch: Launch, folder: string) => Launch> = {
  bubblewrap: launch => bubblewrap.confine(launch),
  landlock: launch => landlock.confine(launch),
  usual: (launch, folder) => withoutFilters(bubblewrap.confine(withLaxRunner(launch, folder))),
}

function withoutFilters(launch: Launch): Launch {
  const { stage2, threads, ...runner } = launch.runner
  const before = ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp']
  const args = without(launch.args, [
    ['--as-pid-1'],
    ['--cap-drop', 'ALL'],
    ['--dir', '/dev'],
    ['--dev-bind', '/dev/null', '/dev/null'],
    ['--dev-bind', '/dev/urandom', '/dev/urandom'],
    ['--remount-ro', '/'],
    ['--seccomp', '4'],
  ])
  args.splice(args.indexOf('--chdir'), 0, ...before)
  return { ...launch, args, runner, filter: undefined }
}

/** A harness that sets no limits. */
function withLaxRunner(launch: Launch, folder: string): Launch {
  const strict = packageFile('templates', 'harness', 'runner.py')
  const lax = path.join(folder, 'lax-runner.py')
  writeFileSync(
    lax,
    replaceOnce(readFileSync(strict, 'utf8'), 'def harden(config):\n', 'def harden(config):\n    return\n'),
  )
  return {
    ...launch,
    args: launch.args.map(argument => (argument === strict ? lax : argument)),
    mounts: launch.mounts.map(mount => (mount.source === strict ? { ...mount, source: lax } : mount)),
  }
}

function without(args: string[], groups: string[][]): string[] {
  const rest = [...args]
  for (const group of groups) {
    const at = rest.findIndex((_, index) => group.every((word, offset) => rest[index + offset] === word))
    if (at === -1) throw new Error(`there is no ${group.join(' ')}`)
    rest.splice(at, group.length)
  }
  return rest
}

function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`not once: ${from}`)
  return text.replace(from, to)
}
