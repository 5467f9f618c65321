import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { manifestProblems } from '../../src/domain/version.ts'
import { readApp } from '../../src/store/apps.ts'
import { isUsable } from '../../src/store/folders.ts'
import { openRepository } from '../../src/store/git.ts'
import { openDataDirectory } from '../../src/store/root.ts'
import { tombstoneOf } from '../../src/store/tombstone.ts'
import { withTransaction } from '../../src/store/transaction.ts'
import { readVersion, resolveVersion, stageVersion, verifyVersion } from '../../src/store/versions.ts'
import { write } from '../helpers/data-directory.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

beforeEach(() => {
  Object.assign(process.env, USER_ENV, { LOOPAI_CACHE_DIR: temporaryFolder() })
})

test('a version is verified once, and looked at again when anything was done to it', async () => {
  const { app, root } = await appWith('one')
  const version = await readVersion(app, 1)
  const program = path.join(version.directory, 'program.py')
  await sleep(2_100)
  await verifyVersion(app, version)
  const facts = () => readdirSync(path.join(process.env.LOOPAI_CACHE_DIR!, 'verified'))
  expect(facts()).toHaveLength(1)
  await verifyVersion(app, version)

  const text = readFileSync(program, 'utf8')
  writeFileSync(program, text.replace('one', 'two'))
  const old = new Date('2020-01-01')
  utimesSync(program, old, old)
  await expect(verifyVersion(app, version)).rejects.toMatchObject({
    code: 'INTEGRITY',
    exit: 7,
    message: 'v1 of a is not what its digest says: program.py was changed',
  })
  writeFileSync(program, text)
  await verifyVersion(app, version)
  writeFileSync(path.join(version.directory, 'data', 'more.txt'), 'x')
  await expect(verifyVersion(app, version)).rejects.toMatchObject({
    details: { unexpected: ['data/more.txt'] },
  })
  runGit(root, 'clean', '-qfd')
  await verifyVersion(app, version)
})

test('files that changed a moment ago are not remembered: they may change again without showing it', async () => {
  const { app } = await appWith('one')
  await verifyVersion(app, await readVersion(app, 1))
  expect(readdirSync(process.env.LOOPAI_CACHE_DIR!)).toEqual([])
})

test('a cache that cannot be written costs nothing but time', async () => {
  const { app } = await appWith('one')
  process.env.LOOPAI_CACHE_DIR = '/dev/null/nowhere'
  await sleep(2_100)
  await verifyVersion(app, await readVersion(app, 1))
})

test('a removed version keeps its manifest and its number, and cannot be used', async () => {
  const { app, root } = await appWith('one', 'two', 'three')
  const third = await readVersion(app, 3)
  await withTransaction(await openRepository(root), new Date(), ({ commit }) =>
    commit({
      subject: 'a: remove v3',
      trailers: {},
      ...tombstoneOf(app, third, { at: '2026-01-02T03:04:05Z', by: 'Ada', reason: 'it leaks names' }),
    }),
  )
  expect(readdirSync(third.directory)).toEqual(['manifest.json'])
  expect(runGit(root, 'status', '--porcelain')).toBe('')
  expect(runGit(root, 'ls-files', 'loop-apps/a/artifacts/v3')).toBe('loop-apps/a/artifacts/v3/manifest.json')
  await expect(verifyVersion(app, await readVersion(app, 3))).rejects.toMatchObject({
    code: 'VERSION_NOT_FOUND',
    message: 'v3 of a was removed on 2026-01-02 by Ada: it leaks names',
  })
  expect((await resolveVersion(app, { by: 'name', name: 'latest' })).number).toBe(2)
  expect([2, 3, 4].map(number => isUsable(app, number))).toEqual([true, false, false])
  expect(await write(root, ['add', 'a', 'three'])).toBe('[4]\n')
})

test.each(['../x', '/x', 'a//b', './x', 'a/..', 'a\\b', 'a\nb', ''])(
  'a file is not staged as %j, which no manifest may name',
  async name => {
    const { app } = await appWith('one')
    const before = readdirSync(app.paths.artifacts)
    await expect(stageVersion(app, [{ path: name, content: 'x' }])).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: `${JSON.stringify(name)} is no name for a file of a version`,
    })
    const { manifest } = await readVersion(app, 1)
    const named = (path: string) => ({ ...manifest, files: [{ ...manifest.files[0]!, path }] })
    expect(manifestProblems(named(name))).toHaveLength(1)
    expect(manifestProblems(named('..a/b..c/...'))).toEqual([])
    expect(readdirSync(app.paths.artifacts)).toEqual(before)
  },
)

test('the next number is above those in HEAD and upstream, whatever the folder has', async () => {
  const { root } = await appWith('one')
  const clone = path.join(temporaryFolder(), 'clone')
  runGit(root, 'clone', '-q', root, clone)
  await write(root, ['add', 'a', 'two', 'three'])
  runGit(clone, 'fetch', '-q')
  expect(await write(clone, ['add', 'a', 'four'])).toBe('[4]\n')
  runGit(clone, 'rm', '-qr', 'loop-apps/a/artifacts/v4')
  expect(await write(clone, ['add', 'a', 'five'])).toBe('[5]\n')
})

async function appWith(...texts: string[]) {
  const root = temporaryFolder()
  runGit(root, 'init', '-q')
  await write(root, ['init'], { LOOPAI_DIR: root })
  await write(root, ['create', 'a'])
  await write(root, ['add', 'a', ...texts])
  const data = await openDataDirectory({ dir: root, cwd: root, env: {} })
  return { root, app: await readApp(data, 'a') }
}
