import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { LoopaiError } from '../domain/errors.ts'
import type { Call } from './exchange.ts'

/** Who may ask. */
export interface Guard {
  /** Throws unless the call may be answered. */
  admit(call: Call): void
  isAuthorized(call: Call): boolean
}

export function createGuard({ token, isLocal }: { token: string | undefined; isLocal: boolean }): Guard {
  const expected = token === undefined ? undefined : hash(token)
  let knownHost: string | undefined

  /** Clients say the same all the time. */
  function isOwnName(host: string | undefined): boolean {
    if (host !== undefined && host === knownHost) return true
    if (!isLocalName(host)) return false
    knownHost = host
    return true
  }

  function isAuthorized(call: Call): boolean {
    if (!expected) return !isLocal || isOwnName(call.header('host'))
    const given = /^bearer +(.+)$/i.exec(call.header('authorization') ?? '')?.[1]
    return given !== undefined && timingSafeEqual(hash(given), expected)
  }

  return {
    isAuthorized,
    admit(call) {
      if (isAuthorized(call)) return
      if (expected) {
        throw new LoopaiError('UNAUTHORIZED', 'a token is needed', {
          hint: 'send it as Authorization: Bearer …',
        })
      }
      throw new LoopaiError(
        'MISDIRECTED',
        'without a token only this machine is answered, under its own name',
        {
          hint: 'ask for 127.0.0.1 or localhost, or serve with --token-env',
        },
      )
    },
  }
}

/** A page of a stranger may have its name point at this machine. An address or `localhost` cannot be such a name. */
function isLocalName(host: string | undefined): boolean {
  if (host === undefined) return true
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
