import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { flip } from '../../src/actions/flip.ts'
import { generate } from '../../src/actions/generate.ts'
import { list } from '../../src/actions/list.ts'
import { mark } from '../../src/actions/mark.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { promote } from '../../src/actions/promote.ts'
import { remove } from '../../src/actions/remove.ts'
import { rollback } from '../../src/actions/rollback.ts'
import { setLifecycle } from '../../src/actions/set-lifecycle.ts'
import { show } from '../../src/actions/show.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { digestOf } from '../../src/domain/version.ts'
import { identifyVersion, readVersion, resolveVersion, verifyVersion } from '../../src/store/versions.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

describe('the lifecycle', () => {
  test('a paused app answers nobody until it is resumed; each is one commit of the history', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    const paused = await setLifecycle({ ...workspace, message: 'the answers are odd' }, ID, 'pause')
    expect(paused).toMatchObject({ state: 'paused', changed: true })
    await expect(openExecutor(workspace, ID, { source: 'cli' })).rejects.toMatchObject({
      code: 'APP_PAUSED',
      exit: 5,
      hint: `wake it with: loopai resume ${ID}`,
    })
    expect(runGit(root, 'show', '--name-only', '--format=%s%n%b', 'HEAD')).toContain(
      `${ID}: pause\nthe answers are odd\n\nLoopai-App: ${ID}\nLoopai-Op: pause\n\n\nloop-apps/${ID}/history.jsonl`,
    )
    expect(await setLifecycle(workspace, ID, 'pause')).toMatchObject({ changed: false, commit: null })
    expect((await list(workspace))[0]).toMatchObject({ state: 'paused', active_version: 2 })
    await setLifecycle(workspace, ID, 'resume')
    expect((await list(workspace))[0]).toMatchObject({ state: 'active' })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('an archived app is neither promoted nor rolled back', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await setLifecycle(workspace, ID, 'archive')
    const refusal = { code: 'APP_ARCHIVED', exit: 5 }
    await expect(promote(workspace, { address: `${ID}@v1` })).rejects.toMatchObject(refusal)
    await expect(rollback(workspace, { app: ID })).rejects.toMatchObject(refusal)
    await setLifecycle(workspace, ID, 'resume')
    expect(await rollback(workspace, { app: ID })).toMatchObject({ from: 2, to: 1, marked: 'bad' })
  })

  test('an app without versions is a draft once it is resumed', async () => {
    const workspace = await makeApp(temporaryFolder(), ID)
    await setLifecycle(workspace, ID, 'archive')
    expect(await setLifecycle(workspace, ID, 'resume')).toMatchObject({ state: 'draft', changed: true })
    expect((await list(workspace))[0]).toMatchObject({ state: 'draft' })
  })

  test('a rollback holds promotion, and resuming an app that is awake lifts it', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await rollback(workspace, { app: ID })
    expect(await show(workspace, ID)).toMatchObject({ app: { held: true, state: 'active' } })
    expect(await setLifecycle(workspace, ID, 'resume')).toMatchObject({ changed: true })
    expect(await show(workspace, ID)).toMatchObject({ app: { held: false } })
    expect(await setLifecycle(workspace, ID, 'resume')).toMatchObject({ changed: false })
  })
})

describe('a version in an address', () => {
  test('is where a rollback goes', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two', 'three')
    expect(await rollback(workspace, { app: `${ID}@v1` })).toMatchObject({ from: 3, to: 1 })
    await expect(rollback(workspace, { app: `${ID}@99` })).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
    })
  })

  test('is refused by what concerns the whole app', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one')
    const refusal = { code: 'INVALID_ADDRESS', exit: 2, hint: `name the app alone: ${ID}` }
    for (const op of ['pause', 'resume', 'archive'] as const) {
      await expect(setLifecycle(workspace, `${ID}@v1`, op)).rejects.toMatchObject(refusal)
    }
    await expect(generate(workspace, { app: `${ID}@v1` })).rejects.toMatchObject(refusal)
  })
})

describe('a flip is refused', () => {
  const changes: [string, (workspace: Workspace, folder: string) => unknown, string][] = [
    ['removed', workspace => remove(workspace, `${ID}@v3`), 'v3 was removed meanwhile'],
    ['taken away', (_, folder) => rmSync(folder, { recursive: true }), 'v3 was removed meanwhile'],
    [
      'replaced',
      (_, folder) => {
        const file = path.join(folder, 'manifest.json')
        writeFileSync(file, readFileSync(file, 'utf8').replace(/sha256:.{8}/, 'sha256:00000000'))
      },
      'v3 is another one now',
    ],
    [
      'broken',
      (_, folder) => writeFileSync(path.join(folder, 'manifest.json'), '{'),
      'v3 is another one now',
    ],
    [
      'archived with its app',
      workspace => setLifecycle(workspace, ID, 'archive'),
      'it was archived meanwhile',
    ],
  ]
  test.each(changes)('when the version was %s since it was judged', async (_, change, what) => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await addVersion(workspace, ID, 'three')
    const { data, app } = await openApp(workspace, ID)
    const [from, to] = await Promise.all([identifyVersion(app, 2), readVersion(app, 3)])
    await change(workspace, to.directory)
    await expect(flip(workspace, { data, app }, { op: 'promote', from, to })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `${ID}: ${what}`,
    })
    expect((await list(workspace))[0]).toMatchObject({ active_version: 2 })
  })
})

describe('a mark', () => {
  test('of a bad version makes a rollback walk past it, and good takes it back', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two', 'three')
    expect(await mark(workspace, `${ID}@v2`, 'bad')).toMatchObject({ version: 2, changed: true })
    expect(await mark(workspace, `${ID}@v2`, 'bad')).toMatchObject({ changed: false })
    await expect(show(workspace, `${ID}@previous`)).resolves.toMatchObject({ version: { version: 1 } })
    await mark(workspace, `${ID}@v2`, 'good')
    await expect(show(workspace, `${ID}@previous`)).resolves.toMatchObject({ version: { version: 2 } })
  })

  test('of a bad version is taken back by promoting it with force and a reason', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await rollback(workspace, { app: ID })
    const told: string[] = []
    const person = { ...workspace, message: 'it was the data', report: (text: string) => told.push(text) }
    await expect(promote(workspace, { address: `${ID}@v2` })).rejects.toMatchObject({ code: 'GATE_FAILED' })
    const forced = await promote(person, { address: `${ID}@v2`, force: true, unsandboxed: true })
    expect(forced).toMatchObject({ forced: true, changed: true })
    expect(told).toEqual(['v2 was marked bad; that it is promoted takes the mark back'])
    expect(await show(workspace, `${ID}@v2`)).toMatchObject({ version: { status: 'active' } })
    await rollback(workspace, { app: ID })
    expect(await show(workspace, `${ID}@v2`)).toMatchObject({ version: { status: 'bad' } })
  })

  test('needs a version that is named', async () => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one')
    await expect(mark(workspace, ID, 'bad')).rejects.toMatchObject({ code: 'MISSING_VALUE', exit: 2 })
  })
})

describe('removing a version', () => {
  test('leaves a tombstone: the digest can be told, the number is not used again, nothing runs', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    await addVersion(workspace, ID, 'three')
    const { digest } = await remove({ ...workspace, message: 'it holds a name' }, `${ID}@v3`)
    const { app } = await openApp(workspace, ID)
    expect(existsSync(path.join(app.paths.version(3), 'program.py'))).toBe(false)
    const version = await resolveVersion(app, { by: 'number', number: 3 })
    expect(digestOf(version.manifest.files, version.manifest)).toBe(digest)
    expect(version.manifest.removed).toMatchObject({ by: 'Ada <ada@example.com>', reason: 'it holds a name' })
    await expect(verifyVersion(app, version)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' })
    expect(await resolveVersion(app, { by: 'name', name: 'latest' })).toMatchObject({ number: 2 })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(await remove(workspace, `${ID}@v3`)).toMatchObject({ changed: false })
    expect(await addVersion(workspace, ID, 'three')).toBe(4)
    expect((await list(workspace))[0]).toMatchObject({ latest_version: 4, versions: 3 })
  })

  test.each([
    '../../../../../outside.txt',
    'data/../../../x',
    '/etc/x',
    'data//x',
    './x',
    'x/..',
    'x/',
    'x\\y',
    'x\ny',
    '',
  ])('takes nothing away by a manifest that names %j', async name => {
    const folder = temporaryFolder()
    const outside = path.join(folder, 'outside.txt')
    writeFileSync(outside, 'theirs')
    const root = path.join(folder, 'data')
    mkdirSync(root)
    const workspace = await makeApp(root, ID, 'one', 'two')
    await addVersion(workspace, ID, 'three')
    const file = path.join(root, `loop-apps/${ID}/artifacts/v3/manifest.json`)
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    manifest.files.push({ path: name, size: 6, sha256: '0'.repeat(64), executable: false })
    writeFileSync(file, JSON.stringify({ ...manifest, digest: digestOf(manifest.files, manifest) }))
    runGit(root, 'commit', '-qam', 'pulled')
    await expect(remove(workspace, `${ID}@v3`)).rejects.toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringContaining('the manifest of v3'),
    })
    expect(readFileSync(outside, 'utf8')).toBe('theirs')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('refuses one that is not what its digest says', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    await addVersion(workspace, ID, 'three')
    writeFileSync(path.join(root, `loop-apps/${ID}/artifacts/v3/mine.txt`), 'x')
    await expect(remove(workspace, `${ID}@v3`)).rejects.toMatchObject({ code: 'INTEGRITY' })
    expect(runGit(root, 'ls-files', `loop-apps/${ID}/artifacts/v3`).split('\n')).toHaveLength(3)
  })

  test.each([
    ['the active one', 'v2', 'it is active'],
    ['its predecessor', 'v1', 'a rollback of v2 would go back to it'],
  ])('refuses %s', async (_, version, why) => {
    const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
    await expect(remove(workspace, `${ID}@${version}`)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `${version} of ${ID} cannot be removed: ${why}`,
    })
  })
})
