import { LoopaiError } from './errors.ts'

/** Which version of an app is meant. */
export type VersionSelector =
  | { by: 'number'; number: number }
  | { by: 'name'; name: 'active' | 'latest' | 'previous' }
  | { by: 'digest'; digest: string }

export interface Address {
  loopAppId: string
  /** Absent when only the app was named. */
  version?: VersionSelector
}

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
/** Device names that Windows refuses as file names, with or without an extension. */
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/

/** `app` or `app@version`: `v3`, `3`, `active`, `latest`, `previous`, or `sha256:` with at least 8 digits. */
export function parseAddress(text: string): Address {
  const at = text.indexOf('@')
  if (at < 0) return { loopAppId: parseId(text) }
  return { loopAppId: parseId(text.slice(0, at)), version: parseVersion(text.slice(at + 1)) }
}

export function parseVersion(text: string): VersionSelector {
  if (text === 'active' || text === 'latest' || text === 'previous') return { by: 'name', name: text }
  const number = /^v?([1-9][0-9]{0,8})$/.exec(text)
  if (number) return { by: 'number', number: Number(number[1]) }
  if (/^sha256:[0-9a-f]{8,64}$/.test(text)) return { by: 'digest', digest: text }
  throw new LoopaiError('INVALID_ADDRESS', `${JSON.stringify(text)} is not a version`, {
    hint: 'write v3, 3, active, latest, previous, or sha256: with at least 8 digits',
  })
}

/** Loop App ids are `{task-name}-{instance}`: lower-case words joined by hyphens, at most 63 characters. */
export function parseId(text: string): string {
  if (text.length <= 63 && ID.test(text) && !RESERVED.test(text)) return text
  const why = RESERVED.test(text) ? 'is a name that Windows reserves' : 'is not a Loop App id'
  throw new LoopaiError('INVALID_ID', `${JSON.stringify(text.slice(0, 80))} ${why}`, {
    hint: 'use lower-case words joined by hyphens, beginning with a letter, at most 63 characters, e.g. spam-detector-001',
  })
}
