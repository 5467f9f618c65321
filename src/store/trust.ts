import { mkdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import canonicalize from 'canonicalize'
import { isObject, type JsonObject } from '../domain/json.ts'
import { sha256 } from '../domain/sha256.ts'
import { replaceFile } from './atomic.ts'

/**
 * What the user has agreed to that tracked files ask for on this machine: a command to run, a server to send examples to. The record is the
 * user's own, outside every repository, and holds for one data directory and exactly what was asked.
 */

/** One thing that is asked, e.g. `{ kind: 'command', command: ['my-agent'] }`. */
type Ask = JsonObject & { kind: string }

/** `root`: real path of the data directory. */
export function isTrusted(root: string, ask: Ask): boolean {
  return readRecord()[root]?.[fingerprint(ask)] !== undefined
}

export async function trust(root: string, ask: Ask, now: Date): Promise<void> {
  const record = readRecord()
  const own = { ...record[root], [fingerprint(ask)]: { ask, at: now.toISOString() } }
  mkdirSync(path.dirname(recordFile()), { recursive: true, mode: 0o700 })
  await replaceFile(recordFile(), `${JSON.stringify({ ...record, [root]: own }, null, 2)}\n`)
}

type TrustRecord = Record<string, Record<string, { ask: Ask; at: string }>>

/** A record that cannot be read is no agreement. */
function readRecord(): TrustRecord {
  try {
    const value: unknown = JSON.parse(readFileSync(recordFile(), 'utf8'))
    return isObject(value) ? (value as TrustRecord) : {}
  } catch {
    return {}
  }
}

function fingerprint(ask: Ask): string {
  return sha256(canonicalize(ask)!)
}

function recordFile(): string {
  const { LOOPAI_CONFIG_DIR, XDG_CONFIG_HOME } = process.env
  const folder = LOOPAI_CONFIG_DIR
    ? path.resolve(LOOPAI_CONFIG_DIR)
    : path.join(XDG_CONFIG_HOME || path.join(os.homedir(), '.config'), 'loopai')
  return path.join(folder, 'trust.json')
}
