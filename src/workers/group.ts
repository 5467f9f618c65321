import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Limits } from '../domain/launch.ts'

/** A control group: it holds one worker to its memory, to one processor and to a few processes, however the program goes about it. */
export interface Group {
  /** Files to which a process writes its id to join. */
  joins: string[]
  /** How often the kernel has killed one of its processes because there was no memory left. */
  memoryKills(): number
  /** Removes the group. To be called when its processes are gone. */
  close(): void
}

/** Where groups can be made: one folder, or with version 1 of the interface one for each controller. */
export interface Hierarchy {
  version: 1 | 2
  folders: Record<Controller, string>
}

type Controller = (typeof CONTROLLERS)[number]

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const
const MAX_PROCESSES = 32
/** The harness and the process that starts the sandbox. */
const SPARE_MB = 64
const REMOVAL_MS = [0, 50, 500]

let found: Hierarchy | undefined | null = null
let count = 0

/** Only root may make groups; for everybody else there are the limits that the harness sets. */
export function openGroup(limits: Limits): Group | undefined {
  if (found === null) found = findHierarchy()
  if (!found) return
  const { version, folders } = found
  const name = `loopai-${process.pid}-${++count}`
  const groups = [...new Set(Object.values(folders))].map(folder => path.join(folder, name))
  try {
    for (const group of groups) mkdirSync(group)
    for (const [controller, file, value, isOptional] of settings(version, limits))
      write(path.join(folders[controller], name, file), value, isOptional)
  } catch {
    remove(groups)
    return
  }
  const events = path.join(folders.memory, name, version === 2 ? 'memory.events' : 'memory.oom_control')
  return {
    joins: groups.map(group => path.join(group, 'cgroup.procs')),
    memoryKills: () => Number(/^oom_kill (\d+)/m.exec(readOrNothing(events))?.[1] ?? 0),
    close: () => remove(groups),
  }
}

/** What `/proc/self/cgroup` and `/proc/self/mounts` say about where this process may make groups, the best guess first. */
export function hierarchies(memberships: string, mounts: string): Hierarchy[] {
  const own = new Map(
    memberships
      .split('\n')
      .filter(Boolean)
      .map(line => line.split(':'))
      .map(([, names, place]) => [names!, place ?? '/']),
  )
  const mounted = mounts.split('\n').map(line => line.split(' '))
  const unified = mounted.find(([, , type]) => type === 'cgroup2')?.[1]
  const found: Hierarchy[] = []
  if (unified) {
    const below = path.posix.join(unified, own.get('') ?? '/')
    // A group that holds processes has no groups with controllers below it; beside it there may be some.
    for (const folder of new Set([below, path.posix.dirname(below)]))
      if (folder.startsWith(unified))
        found.push({ version: 2, folders: { memory: folder, pids: folder, cpu: folder } })
  }
  const at = (controller: string, inOwn: boolean) => {
    const mount = mounted.find(
      ([, , type, options]) => type === 'cgroup' && options?.split(',').includes(controller),
    )
    const names = [...own.keys()].find(name => name.split(',').includes(controller))
    return mount && path.posix.join(mount[1]!, inOwn ? (own.get(names ?? '') ?? '/') : '/')
  }
  // In a container, the path may be one of the machine around it.
  for (const inOwn of [true, false]) {
    const [memory, pids, cpu] = CONTROLLERS.map(controller => at(controller, inOwn))
    if (memory && pids && cpu) found.push({ version: 1, folders: { memory, pids, cpu } })
  }
  return found
}

function findHierarchy(): Hierarchy | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return
  const known = hierarchies(readOrNothing('/proc/self/cgroup'), readOrNothing('/proc/self/mounts'))
  const usable = known.find(({ version, folders }) =>
    version === 2
      ? CONTROLLERS.every(controller =>
          readOrNothing(path.join(folders.memory, 'cgroup.subtree_control')).split(/\s/).includes(controller),
        )
      : Object.values(folders).every(folder => readOrNothing(path.join(folder, 'cgroup.procs'))),
  )
  if (usable) removeStale(usable)
  return usable
}

function settings(
  version: 1 | 2,
  limits: Limits,
): [Controller, file: string, value: string, isOptional: boolean][] {
  const bytes = String((limits.memory_mb + SPARE_MB) * 1024 * 1024)
  if (version === 2) {
    return [
      ['memory', 'memory.max', bytes, false],
      ['memory', 'memory.swap.max', '0', true],
      ['pids', 'pids.max', String(MAX_PROCESSES), false],
      ['cpu', 'cpu.max', '100000 100000', false],
    ]
  }
  return [
    ['memory', 'memory.limit_in_bytes', bytes, false],
    ['memory', 'memory.memsw.limit_in_bytes', bytes, true],
    ['pids', 'pids.max', String(MAX_PROCESSES), false],
    ['cpu', 'cpu.cfs_quota_us', '100000', false],
  ]
}

function write(file: string, value: string, isOptional: boolean) {
  try {
    writeFileSync(file, value)
  } catch (problem) {
    if (!isOptional) throw problem
  }
}

/** The kernel may need a moment to forget the last process. */
function remove(groups: string[], attempt = 0) {
  const left = groups.filter(group => !removeOne(group))
  const wait = REMOVAL_MS[attempt + 1]
  if (left.length > 0 && wait !== undefined) setTimeout(() => remove(left, attempt + 1), wait).unref()
}

function removeOne(group: string): boolean {
  try {
    rmdirSync(group)
    return true
  } catch (problem) {
    return (problem as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Groups of hosts that were killed. */
function removeStale({ folders }: Hierarchy) {
  for (const folder of new Set(Object.values(folders))) {
    for (const name of readdirSync(folder)) {
      const host = /^loopai-(\d+)-\d+$/.exec(name)?.[1]
      if (host && !isRunning(Number(host))) removeOne(path.join(folder, name))
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (problem) {
    return (problem as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
