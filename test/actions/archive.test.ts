import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { type ReadEntry as Entry, Header, Pack, ReadEntry } from 'tar'
import { beforeEach, describe, expect, test } from 'vitest'
import { exportApp } from '../../src/actions/export.ts'
import { importArchive } from '../../src/actions/import.ts'
import { init } from '../../src/actions/init.ts'
import { remove } from '../../src/actions/remove.ts'
import { show } from '../../src/actions/show.ts'
import { createWorkspace, type Workspace } from '../../src/actions/workspace.ts'
import { readArchive } from '../../src/store/archive.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

async function emptyPlace(): Promise<{ root: string; workspace: Workspace }> {
  const root = temporaryFolder()
  const workspace = createWorkspace({ cwd: root, dir: root, env: {} })
  await init(workspace)
  return { root, workspace }
}

describe('an app', () => {
  test('arrives with its versions, tombstones, history and what is active, in one commit', async () => {
    const from = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await addVersion(from, ID, 'three')
    await remove(from, `${ID}@v3`)
    const { path: file } = await exportApp(from, { address: ID })
    const { root, workspace } = await emptyPlace()
    const imported = await importArchive(workspace, { file })
    expect(imported).toMatchObject({ loop_app_id: ID, version: null, versions: 3, active: 2, changed: true })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(runGit(root, 'log', '-1', '--format=%s')).toBe(`${ID}: import`)
    const [there, here] = await Promise.all([show(from, ID), show(workspace, ID)])
    const versionsOf = (shown: typeof here) => ('app' in shown ? shown.app.versions : [])
    expect(versionsOf(here)).toEqual(versionsOf(there))
    expect(versionsOf(here).map(({ status }) => status)).toEqual(['deprecated', 'active', 'removed'])
    await expect(importArchive(workspace, { file })).rejects.toMatchObject({ code: 'APP_EXISTS', exit: 5 })
  })

  test('may get another id, and keeps its digests', async () => {
    const from = await makeApp(temporaryFolder(), ID, 'one', 'two')
    const { path: file } = await exportApp(from, { address: ID })
    const { workspace } = await emptyPlace()
    await importArchive(workspace, { file, as: 'spam-detector-002' })
    const there = await show(from, `${ID}@v2`)
    expect(await show(workspace, 'spam-detector-002@active')).toMatchObject({
      version: { version: 2, digest: 'version' in there && there.version.digest },
    })
  })

  test('leaves its records at home, unless they are asked for', async () => {
    const root = temporaryFolder()
    const from = await makeApp(root, ID, 'one')
    const folder = path.join(root, 'loop-apps', ID, 'datasets/executions')
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, '2026-01-01.jsonl'), '{"input":"private"}\n')
    const without = await readArchive((await exportApp(from, { address: ID })).path)
    expect([...without.files.keys()].filter(name => name.includes('executions'))).toEqual([])
    const { path: file } = await exportApp(from, { address: ID, withDatasets: true, output: 'all.tgz' })
    const { root: other, workspace } = await emptyPlace()
    await importArchive(workspace, { file })
    const arrived = path.join('loop-apps', ID, 'datasets/executions/2026-01-01.jsonl')
    expect(readFileSync(path.join(other, arrived), 'utf8')).toBe('{"input":"private"}\n')
    expect(runGit(other, 'ls-files', '--', arrived)).toBe('')
  })

  test('gives the same archive twice', async () => {
    const from = await makeApp(temporaryFolder(), ID, 'one')
    const files = await Promise.all(
      ['a.tgz', 'b.tgz'].map(output => exportApp(from, { address: ID, output })),
    )
    expect(readFileSync(files[0]!.path).equals(readFileSync(files[1]!.path))).toBe(true)
  })
})

test('one version joins an app under the next number, once', async () => {
  const from = await makeApp(temporaryFolder(), ID, 'one', 'two')
  const { path: file } = await exportApp(from, { address: `${ID}@v2` })
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'uno', 'due')
  expect(await importArchive(workspace, { file })).toMatchObject({ version: 3, active: 2, changed: true })
  const [there, here] = await Promise.all([show(from, `${ID}@v2`), show(workspace, `${ID}@v3`)])
  expect('version' in here && here.version).toMatchObject({
    digest: 'version' in there && there.version.digest,
    origin: { kind: 'import', notes: [expect.stringMatching(/^was v2 of spam-detector-001/)] },
  })
  expect(runGit(root, 'status', '--porcelain')).toBe('')
  expect(await importArchive(workspace, { file })).toMatchObject({ version: 3, changed: false, commit: null })
})

describe('a hostile archive is refused, and nothing is left of it:', () => {
  let made: Promise<Packed[]> | undefined
  const soundFiles = async () => {
    const from = await makeApp(temporaryFolder(), ID, 'one')
    return unpack((await exportApp(from, { address: ID })).path)
  }

  const program = { path: 'artifacts/v1/program.py', content: 'import os\n' }

  test.each<[string, (files: Packed[]) => Packed[], RegExp]>([
    ['an absolute path', files => [...files, { path: '/tmp/x', content: '' }], /not a path that an app has/],
    [
      'a path that climbs',
      files => [...files, { path: 'artifacts/v1/../../../x', content: '' }],
      /not a path/,
    ],
    [
      'a symbolic link',
      files => [...files, { ...program, path: 'artifacts/v1/x', type: 'SymbolicLink', to: '/etc' }],
      /SymbolicLink/,
    ],
    [
      'a hard link',
      files => [...files, { ...program, path: 'artifacts/v1/x', type: 'Link', to: '/etc/passwd' }],
      /is a Link/,
    ],
    ['a file that is in it twice', files => [...files, program], /twice/],
    [
      'a file that its table does not name',
      files => [...files, { path: 'artifacts/v1/more.py', content: '' }],
      /not what its table says/,
    ],
    [
      'another program than the digest says',
      files => reTabled(files.map(file => (file.path === program.path ? program : file))),
      /not what its digest says/,
    ],
    [
      'a manifest whose digest is wrong',
      files =>
        reTabled(
          files.map(file =>
            file.path.endsWith('manifest.json')
              ? {
                  ...file,
                  content: file.content.replace('"entry": "program.py"', '"entry": "data/words.txt"'),
                }
              : file,
          ),
        ),
      /not what its digest says/,
    ],
    [
      'an active version that is not there',
      files =>
        files.map(file =>
          file.path === 'loopai-archive.json'
            ? { ...file, content: file.content.replace('"active": null', '"active": 7') }
            : file,
        ),
      /points at v7/,
    ],
    [
      'a broken configuration',
      files =>
        reTabled(
          files.map(file => (file.path === 'config.yaml' ? { ...file, content: 'loop_app_id: [' } : file)),
        ),
      /config\.yaml/,
    ],
    [
      'no table',
      files => files.filter(file => file.path !== 'loopai-archive.json'),
      /no valid loopai-archive\.json/,
    ],
  ])('%s', async (_, spoil, message) => {
    const { root, workspace } = await emptyPlace()
    const file = path.join(temporaryFolder(), 'hostile.tgz')
    made ??= soundFiles()
    writeFileSync(file, await pack(spoil(structuredClone(await made))))
    await expect(importArchive(workspace, { file })).rejects.toMatchObject({
      code: 'INVALID_ARCHIVE',
      message: expect.stringMatching(message),
    })
    const apps = path.join(root, 'loop-apps')
    expect(existsSync(apps) ? readdirSync(apps) : []).toEqual([])
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test.each([
    ['a bomb of zeros', gzipSync(Buffer.alloc(300 * 1024 * 1024)), /goes on after its end|broken/],
    ['what is no archive', Buffer.from('hello'), /broken/],
    ['one that is cut off', gzipSync(Buffer.from('x'.repeat(5000))).subarray(0, 20), /broken/],
    [
      'one that promises more than it may',
      gzipSync(headerOf({ path: 'artifacts/v1/x', size: 2 ** 40 })),
      /1 GiB/,
    ],
  ])('%s', async (_, bytes, message) => {
    const { workspace } = await emptyPlace()
    const file = path.join(temporaryFolder(), 'hostile.tgz')
    writeFileSync(file, bytes)
    const before = process.memoryUsage().rss
    await expect(importArchive(workspace, { file })).rejects.toMatchObject({
      code: 'INVALID_ARCHIVE',
      message: expect.stringMatching(message),
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})

interface Packed {
  path: string
  content: string
  type?: 'File' | 'SymbolicLink' | 'Link'
  to?: string
}

async function unpack(file: string): Promise<Packed[]> {
  const { table, files } = await readArchive(file)
  const rest = [...files.values()].map(one => ({ path: one.path, content: one.content.toString() }))
  return [{ path: 'loopai-archive.json', content: JSON.stringify(table, null, 2) }, ...rest]
}

/** With a table that fits what was changed. */
function reTabled(files: Packed[]): Packed[] {
  const [first, ...rest] = files
  const table = JSON.parse(first!.content)
  for (const file of table.files) {
    const content = rest.find(({ path }) => path === file.path)!.content
    file.sha256 = createHash('sha256').update(content).digest('hex')
  }
  return [{ ...first!, content: JSON.stringify(table) }, ...rest]
}

async function pack(files: Packed[]): Promise<Buffer> {
  const packed = new Pack({ gzip: true, portable: true, preservePaths: true })
  const chunks: Buffer[] = []
  packed.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>(resolve => packed.on('end', () => resolve()))
  for (const { path: name, content, type = 'File', to } of files) {
    const size = type === 'File' ? Buffer.byteLength(content) : 0
    const header = new Header({ path: name, size, type, mode: 0o644, mtime: new Date(0), linkpath: to })
    const entry: Entry = new ReadEntry(header)
    packed.add(entry)
    if (size > 0) entry.write(Buffer.from(content))
    entry.end()
  }
  packed.end()
  await ended
  return Buffer.concat(chunks)
}

function headerOf({ path, size }: { path: string; size: number }): Buffer {
  const block = Buffer.alloc(512)
  new Header({ path, size, type: 'File', mode: 0o644, mtime: new Date(0) }).encode(block)
  return Buffer.concat([block, Buffer.alloc(4096)])
}
