import { LoopaiError } from './errors.ts'
import type { JsonObject } from './json.ts'
import { sha256 } from './sha256.ts'

/** What a person writes: names of packages, and which versions will do. */
export const REQUIREMENTS = 'requirements.txt'
/** What Loopai makes of it: every package with its version, and the hashes of the files that may be installed. */
export const LOCK = 'requirements.lock'

/** Where packages come from: an index of wheels, or what is installed for the interpreter already. */
export type PackageSource = 'index' | 'system'

/** One of `dependencies` in a manifest: the version needs the packages of its lock. */
export type PackagesDependency = { type: 'packages'; from: PackageSource; lock: typeof LOCK }

export interface Pin {
  name: string
  version: string
  /** SHA-256 of the wheels that will do; none for what the system has. */
  hashes: string[]
}

export interface Lock {
  /** SHA-256 of the requirements that it was made of. */
  requirements: string
  /** Platform whose wheels are in it; `any` when all that the index has are. */
  platform: string
  pins: Pin[]
}

export function packagesDependency(from: PackageSource): PackagesDependency {
  return { type: 'packages', from, lock: LOCK }
}

export function packagesOf(dependencies: JsonObject[]): PackagesDependency | undefined {
  return dependencies.find(({ type }) => type === 'packages') as PackagesDependency | undefined
}

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const EXTRAS = '(?:\\s*\\[[A-Za-z0-9._,\\s-]*\\])?'
const CLAUSE = '(?:===?|~=|!=|<=?|>=?)\\s*[A-Za-z0-9.*+!_-]+'
const VERSIONS = `(?:\\s*\\(?${CLAUSE}(?:\\s*,\\s*${CLAUSE})*\\)?)?`
// A word that begins with a dash would be an option.
const MARKER = '(?:\\s*;(?:(?!\\s-)[A-Za-z0-9_.\\s\'"<>=!~()+*-])+)?'
const HASHES = '(?:\\s+--hash=sha256:[0-9a-f]{64})*'
const REQUIREMENT = new RegExp(`^${NAME}${EXTRAS}${VERSIONS}${MARKER}${HASHES}$`)
/** pip takes what is called like an archive for a file beside it, and would build that, even one that is called `pkg==1.0.zip`. */
const ARCHIVE = /^[^;[\s]*?\.(?:whl|zip|tgz|tbz|txz|tlz|tar(?:\.\w+)?)(?![\w.-])/i

/**
 * The requirements of a `requirements.txt`, one each. Only names with versions and markers are taken: an option, a path or an address could
 * run code or fetch from anywhere.
 */
export function requirementsOf(text: string): string[] {
  return logicalLines(text).map(({ line, number }) => {
    if (REQUIREMENT.test(line) && !ARCHIVE.test(line)) return line
    throw new LoopaiError(
      'INVALID_REQUIREMENTS',
      `${REQUIREMENTS}:${number}: ${JSON.stringify(line)} is not a package`,
      {
        hint: 'one package a line, such as numpy or scikit-learn>=1.4,<2; no options, paths or addresses (an index is named by PIP_INDEX_URL or UV_INDEX_URL)',
      },
    )
  })
}

const PIN = new RegExp(`^(${NAME})==([A-Za-z0-9.+!_-]+)((?:\\s+--hash=sha256:[0-9a-f]{64})*)$`)
const HEAD = /^# Locked by Loopai from requirements\.txt \(sha256:([0-9a-f]{64})\) for ([\w.-]+)\.$/m

/** A lock, which may have been pulled: it says nothing but packages, versions and hashes. */
export function parseLock(text: string, source: PackageSource): Lock {
  const [, requirements, platform] = HEAD.exec(text) ?? []
  const pins = logicalLines(text).map(({ line }): Pin | undefined => {
    const [, name, version, hashes] = PIN.exec(line) ?? []
    if (!name || !version || ARCHIVE.test(line)) return undefined
    return { name, version, hashes: [...hashes!.matchAll(/[0-9a-f]{64}/g)].map(([hash]) => hash) }
  })
  const isWhole = pins.every(pin => pin && (source === 'system' || pin.hashes.length > 0))
  if (requirements && platform && isWhole) return { requirements, platform, pins: pins as Pin[] }
  throw new LoopaiError('INVALID_REQUIREMENTS', `${LOCK} is not a lock that Loopai makes`, {
    hint: `leave it out, and it is made anew from ${REQUIREMENTS}`,
  })
}

export function renderLock({ requirements, platform, pins }: Lock): string {
  const lines = [...pins]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, version, hashes }) =>
      [`${name}==${version}`, ...[...hashes].sort().map(hash => `    --hash=sha256:${hash}`)].join(' \\\n'),
    )
  return [
    `# Locked by Loopai from ${REQUIREMENTS} (sha256:${requirements}) for ${platform}.`,
    ...lines,
    '',
  ].join('\n')
}

/** Whether the lock was made of these requirements, and for this platform among others. */
export function isLockFor(lock: Lock, requirements: string, platform: string): boolean {
  return lock.requirements === sha256(requirements) && ['any', platform].includes(lock.platform)
}

/** Names an environment: the same lock for the same platform is the same environment. */
export function environmentKey(lockSha256: string, platform: string): string {
  return sha256(`${lockSha256}\0${platform}`).slice(0, 32)
}

export function describePins(pins: Pin[]): string[] {
  return pins.map(({ name, version }) => `${name}==${version}`)
}

/** As indexes and file names write it. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}

/** Without comments and empty lines; a backslash at the end of a line joins it with the next. */
function logicalLines(text: string): { line: string; number: number }[] {
  const found: { line: string; number: number }[] = []
  let open = ''
  let begin = 0
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (open === '') begin = i + 1
    const line = raw.replace(/(^|\s)#.*$/s, '')
    if (line.endsWith('\\')) {
      open += `${line.slice(0, -1)} `
      continue
    }
    const whole = (open + line).trim().replace(/\s+/g, ' ')
    open = ''
    if (whole !== '') found.push({ line: whole, number: begin })
  }
  if (open.trim() !== '') found.push({ line: open.trim(), number: begin })
  return found
}
