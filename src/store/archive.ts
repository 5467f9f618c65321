import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import {
  type ArchiveTable,
  entryProblem,
  isArchiveTable,
  MAX_ARCHIVE_BYTES,
  MAX_ARCHIVE_FILES,
  strangeFiles,
  TABLE,
} from '../domain/archive.ts'
import { LoopaiError } from '../domain/errors.ts'
import { sha256 } from '../domain/sha256.ts'
import type { VersionFile } from '../domain/version.ts'
import { replaceFile } from './atomic.ts'
import { explainReadError } from './text.ts'

export interface ArchivedFile {
  path: string
  executable: boolean
  content: Buffer
}

export interface Archive {
  table: ArchiveTable
  /** By path, without the table. */
  files: Map<string, ArchivedFile>
}

/** Writes files of a folder as one archive. The same files are the same bytes. */
export async function writeArchive(
  file: string,
  folder: string,
  table: ArchiveTable,
): Promise<{ bytes: number }> {
  const { Header, Pack, ReadEntry } = await import('tar')
  const pack = new Pack({ gzip: true, portable: true })
  const chunks: Buffer[] = []
  pack.on('data', (chunk: Buffer) => chunks.push(chunk))
  const add = (name: string, content: Buffer, mode: number) => {
    const header = { path: name, mode, size: content.length, type: 'File' as const, mtime: new Date(0) }
    const entry = new ReadEntry(new Header({ ...header, uid: 0, gid: 0 }))
    pack.add(entry)
    entry.end(content)
  }
  add(TABLE, Buffer.from(`${JSON.stringify(table, null, 2)}\n`), 0o644)
  for (const { path: name, executable } of table.files) {
    add(name, await readFile(path.join(folder, ...name.split('/'))), executable ? 0o755 : 0o644)
  }
  const ended = new Promise<void>((resolve, reject) => {
    pack.on('end', resolve)
    pack.on('error', reject)
  })
  pack.end()
  await ended
  const content = Buffer.concat(chunks)
  await replaceFile(file, content)
  return { bytes: content.length }
}

/** Reads an archive that may come from anywhere: plain files at known places, bounded, as its table says. Nothing is written. */
export async function readArchive(file: string): Promise<Archive> {
  const files = await readEntries(file)
  const table = parseTable(file, files.get(TABLE)?.content)
  files.delete(TABLE)
  const hashes = new Map([...files].map(([name, { content }]) => [name, sha256(content)]))
  const strange = strangeFiles(table, hashes)
  if (strange.length > 0) {
    throw refused(file, `${strange.slice(0, 3).join(', ')} is not what its table says`, 'export it again')
  }
  return { table, files }
}

/** Files as a table lists them. */
export function tableOf(files: VersionFile[]): VersionFile[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Zeros that may follow the last file. */
const MAX_PADDING_BYTES = 1024 * 1024

async function readEntries(file: string): Promise<Map<string, ArchivedFile>> {
  const { Parser } = await import('tar')
  const found = new Map<string, ArchivedFile>()
  let bytes = 0
  let problem: string | undefined
  const parser = new Parser({ strict: true, maxMetaEntrySize: 64 * 1024 })
  parser.on('entry', entry => {
    const { path: name, size } = entry
    const total = bytes + size
    problem ??=
      entryProblem({ path: name, type: entry.type }) ??
      (found.has(name) ? `${JSON.stringify(name)} is in it twice` : undefined) ??
      (total > MAX_ARCHIVE_BYTES || found.size >= MAX_ARCHIVE_FILES
        ? `it holds more than ${MAX_ARCHIVE_FILES} files or 1 GiB`
        : undefined)
    if (problem) return void entry.resume()
    bytes = total
    const chunks: Buffer[] = []
    const archived = { path: name, executable: ((entry.mode ?? 0) & 0o111) !== 0, content: Buffer.alloc(0) }
    found.set(name, archived)
    entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    entry.on('end', () => {
      archived.content = Buffer.concat(chunks)
    })
  })
  const ended = new Promise<void>(resolve => parser.on('end', () => resolve()).on('error', () => resolve()))
  let isOver = false
  parser.on('eof', () => {
    isOver = true
  })
  const parse = async (chunks: AsyncIterable<Buffer>) => {
    let [read, rest] = [0, 0]
    for await (const chunk of chunks) {
      read += chunk.length
      if (read > 2 * MAX_ARCHIVE_BYTES) problem ??= 'it unpacks to more than 2 GiB'
      if (isOver) rest += chunk.length
      else parser.write(chunk)
      if (rest > MAX_PADDING_BYTES) problem ??= 'it goes on after its end'
      if (problem) return
    }
    parser.end()
    await ended
  }
  parser.on('error', error => {
    problem ??= `it is broken: ${error.message}`
  })
  try {
    await pipeline(createReadStream(file), createGunzip(), parse)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code && /^E[A-Z]+$/.test(code)) throw explainReadError(error, file)
    problem ??= `it is broken: ${message}`
  }
  if (problem) throw refused(file, problem)
  return found
}

function parseTable(file: string, content: Buffer | undefined): ArchiveTable {
  try {
    const value: unknown = JSON.parse(content?.toString() ?? '')
    if (isArchiveTable(value)) return value
  } catch {
    // Said below.
  }
  throw refused(file, `it has no valid ${TABLE}`, 'make one with: loopai export <app>')
}

function refused(file: string, why: string, hint = 'nothing was written; ask whoever made it'): LoopaiError {
  return new LoopaiError('INVALID_ARCHIVE', `${file} is refused: ${why}`, { hint })
}
