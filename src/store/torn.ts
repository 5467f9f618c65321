import { closeSync, constants, createReadStream, writeSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { LoopApp } from './apps.ts'
import { explainWriteError } from './atomic.ts'
import { readLines } from './lines.ts'
import { openRecords, refuseLinks } from './links.ts'

const NEWLINE = 10
const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Files of records whose last line was cut off by a crash. */
export async function findTorn(app: LoopApp): Promise<string[]> {
  const files = await listRecords(app)
  const torn = await Promise.all(files.map(isTorn))
  return files.filter((_, i) => torn[i])
}

/** Closes the last line, so that the next one is not spoilt by it. */
export async function closeTorn(file: string): Promise<void> {
  try {
    const handle = openRecords(file, constants.O_WRONLY | constants.O_APPEND)
    try {
      writeSync(handle, '\n')
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    throw explainWriteError(error, file)
  }
}

/** How many lines of each file of records are no JSON; files without any are left out. */
export async function countUnreadable(app: LoopApp): Promise<{ file: string; lines: number }[]> {
  const found: { file: string; lines: number }[] = []
  for (const file of await listRecords(app)) {
    let lines = 0
    for await (const { bytes } of readLines(createReadStream(file), MAX_LINE_BYTES)) {
      if (!isJson(bytes)) lines++
    }
    if (lines > 0) found.push({ file, lines })
  }
  return found
}

/** What links lead to is not ours. */
async function listRecords(app: LoopApp): Promise<string[]> {
  const folders = [app.paths.executions, app.paths.validations]
  const found = await Promise.all(
    folders.map(async folder => {
      const entries = isReachable(folder)
        ? await readdir(folder, { withFileTypes: true }).catch(() => [])
        : []
      const records = entries.filter(entry => entry.isFile() && entry.name.endsWith('.jsonl'))
      return records.map(({ name }) => path.join(folder, name))
    }),
  )
  return found.flat().sort()
}

function isReachable(folder: string): boolean {
  try {
    refuseLinks(folder)
    return true
  } catch {
    return false
  }
}

async function isTorn(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    if (size === 0) return false
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
    return buffer[0] !== NEWLINE
  } finally {
    await handle.close()
  }
}

/** An empty line is one that was closed after a crash. */
function isJson(bytes: Buffer | undefined): boolean {
  if (!bytes || bytes.length === 0) return bytes !== undefined
  try {
    JSON.parse(bytes.toString())
    return true
  } catch {
    return false
  }
}
