import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

const NOTHING = '/dev/null'
const O_CLOEXEC = 0o2000000

let found: number[] | undefined

/**
 * Calls `start` with what a process has to be given as its descriptors so that it does not have those which whoever started this host has left open
 * in it: a sandbox confines paths, and a descriptor is past them.
 */
export function withoutInherited<T, Kind>(own: Kind[], start: (all: (Kind | number | 'ignore')[]) => T): T {
  found ??= listInherited()
  const others = found.filter(descriptor => descriptor >= own.length)
  if (others.length === 0) return start(own)
  const nothing = openSync(NOTHING, 'r')
  const all = Array.from({ length: Math.max(...others) + 1 }, (_, descriptor) =>
    others.includes(descriptor) ? nothing : (own[descriptor] ?? 'ignore'),
  )
  try {
    return start(all)
  } finally {
    closeSync(nothing)
  }
}

/** Node.js itself leaves none open, and takes care of the first ones that it inherits. */
function listInherited(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number).filter(isLeftOpen)
  } catch {
    return []
  }
}

function isLeftOpen(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch {
    return false
  }
}
