import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { doctor } from '../../src/actions/doctor.ts'
import { list } from '../../src/actions/list.ts'
import { log } from '../../src/actions/log.ts'
import { remove } from '../../src/actions/remove.ts'
import { rollback } from '../../src/actions/rollback.ts'
import { setLifecycle } from '../../src/actions/set-lifecycle.ts'
import { show } from '../../src/actions/show.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'
const APP = `loop-apps/${ID}`

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

async function twoVersions(): Promise<{ root: string; workspace: Workspace }> {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one', 'two')
  runGit(root, 'branch', 'base')
  return { root, workspace }
}

const edit = (file: string, text: string) => (root: string) => writeFileSync(path.join(root, APP, file), text)
const del = (file: string) => (root: string) => rmSync(path.join(root, APP, file), { recursive: true })

describe('check', () => {
  test('has nothing to object to in a sound directory, nor to a new version, a promotion and a removal', async () => {
    const { workspace } = await twoVersions()
    await addVersion(workspace, ID, 'three')
    await activateVersion(workspace, ID, 3)
    await addVersion(workspace, ID, 'four')
    await remove(workspace, `${ID}@v4`)
    expect(await check(workspace, { base: 'base' })).toEqual({
      outcome: 'pass',
      base: 'base',
      apps: 1,
      versions: 4,
      findings: [],
    })
  })

  test('accepts that a version of the base becomes a tombstone, and nothing else in its place', async () => {
    const { root, workspace } = await twoVersions()
    await addVersion(workspace, ID, 'three')
    runGit(root, 'branch', '--force', 'base')
    await remove(workspace, `${ID}@v3`)
    expect(await check(workspace, { base: 'base' })).toMatchObject({ findings: [] })
    const file = path.join(root, APP, 'artifacts/v3/manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"created_by": "Ada', '"created_by": "Bob'))
    const { findings } = await check(workspace, { base: 'base' })
    expect(findings.map(({ kind }) => kind)).toEqual(['edited'])
  })

  test.each<[string, (root: string) => void, string, RegExp]>([
    ['an edited file', edit('artifacts/v1/program.py', 'x'), 'version', /program\.py was changed/],
    ['a file that is gone', del('artifacts/v1/data'), 'version', /data\/words\.txt is missing$/],
    ['a file too many', edit('artifacts/v1/more.py', ''), 'version', /more\.py was changed/],
    ['a broken manifest', edit('artifacts/v1/manifest.json', '{}'), 'version', /manifest of v1 .* is broken/],
    [
      'a manifest that is a folder',
      root => {
        const file = path.join(root, APP, 'artifacts/v1/manifest.json')
        rmSync(file)
        mkdirSync(file)
      },
      'version',
      /manifest of v1 .* is broken: .* is no plain file/,
    ],
    [
      'a history that is a folder',
      root => {
        rmSync(path.join(root, APP, 'history.jsonl'))
        mkdirSync(path.join(root, APP, 'history.jsonl'))
      },
      'history',
      /history\.jsonl is no plain file/,
    ],
    ['a history that is gone', del('history.jsonl'), 'history', /history of .* is missing, although/],
    ['a config that is gone', del('config.yaml'), 'config', /config\.yaml does not exist/],
    ['an invalid config', edit('config.yaml', 'task: 5\n'), 'config', /config\.yaml/],
    [
      'a broken line of history',
      root => appendFileSync(path.join(root, APP, 'history.jsonl'), '{"op":\n'),
      'history',
      /:3 is not a history entry/,
    ],
    [
      'the markers of a merge',
      root => appendFileSync(path.join(root, APP, 'history.jsonl'), '<<<<<<< ours\n'),
      'history',
      /:3 has a conflict that a merge has left/,
    ],
    ['rows that are not JSON', edit('tests/cases.jsonl', '{'), 'rows', /cases\.jsonl/],
    ['a link that dangles', link('v7'), 'active', /points at v7, which does not exist/],
    [
      'links where records are written',
      root => {
        mkdirSync(path.join(root, APP, 'datasets'), { recursive: true })
        symlinkSync('/etc', path.join(root, APP, 'datasets/executions'))
      },
      'link',
      /has symbolic links .*: datasets\/executions$/,
    ],
    [
      'a link that is gone, though something was promoted',
      root => rmSync(path.join(root, APP, 'artifacts/active')),
      'active',
      /active of .* is missing, although v\d was promoted$/,
    ],
    ['a link that points elsewhere', link('../../../etc'), 'active', /not at a version/],
  ])('finds %s', async (_, damage, kind, message) => {
    const { root, workspace } = await twoVersions()
    damage(root)
    const { outcome, findings } = await check(workspace, {})
    expect(outcome).toBe('fail')
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({ kind, loop_app_id: ID, message: expect.stringMatching(message) })
  })

  test('files of a version that are gone come with the command that brings them back, and do not stop the log', async () => {
    const { root, workspace } = await twoVersions()
    const folder = path.join(root, APP)
    rmSync(path.join(folder, 'artifacts/v1/program.py'))
    rmSync(path.join(folder, 'artifacts/v2/manifest.json'))
    const fix = (name: string) => `restore it with: git -C '${folder}' checkout HEAD -- artifacts/${name}`
    expect((await check(workspace, {})).findings).toMatchObject([
      { message: `v2 of ${ID} has no manifest.json`, fix: fix('v2') },
      { message: `v1 of ${ID} is not what its digest says: program.py is missing`, fix: fix('v1') },
    ])
    const told: string[] = []
    const entries = await log({ ...workspace, report: sentence => told.push(sentence) }, { app: ID })
    expect(entries.map(({ op, to }) => [op, to])).toEqual([
      ['promote', 2],
      ['promote', 1],
      ['add', 1],
    ])
    expect(told.splice(0)).toEqual([`v2 of ${ID} has no manifest.json`])

    expect(await show(workspace, ID)).toMatchObject({
      app: {
        versions: [{ version: 1 }],
        broken: [{ version: 2, problem: `v2 of ${ID} has no manifest.json`, fix: fix('v2') }],
      },
    })
    const latest = await show({ ...workspace, report: sentence => told.push(sentence) }, `${ID}@latest`)
    expect(latest).toMatchObject({ version: { version: 1 } })
    expect(told).toEqual([`v2 of ${ID} has no manifest.json; ${fix('v2')}`])

    // Also when somebody has staged that they are gone.
    runGit(root, 'add', '--all')
    for (const name of ['v1', 'v2']) execFileSync('sh', ['-c', fix(name).replace('restore it with: ', '')])
    expect((await check(workspace, {})).findings).toEqual([])
  })

  test('a config or a history that is gone is told with the command that brings it back', async () => {
    const { root, workspace } = await twoVersions()
    const folder = path.join(root, APP)
    const back = (file: string) => `restore it with: git -C '${folder}' checkout HEAD -- ${file}`
    rmSync(path.join(folder, 'config.yaml'))
    await expect(show(workspace, ID)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      hint: back('config.yaml'),
    })
    runGit(folder, 'checkout', 'HEAD', '--', 'config.yaml')
    rmSync(path.join(folder, 'history.jsonl'))
    const hint = back('history.jsonl')
    await expect(rollback(workspace, { app: ID })).rejects.toMatchObject({ code: 'INTEGRITY', hint })
    expect((await doctor(workspace, {})).findings).toMatchObject([{ kind: 'history', fix: hint }])
  })

  test.each(['loop-apps', APP])('a link at %s is a finding, and nothing goes through it', async place => {
    const { root, workspace } = await twoVersions()
    const elsewhere = path.join(temporaryFolder(), 'elsewhere')
    renameSync(path.join(root, place), elsewhere)
    symlinkSync(elsewhere, path.join(root, place))
    const found = {
      kind: 'link',
      message: `${path.join(root, place)} is reached through a symbolic link`,
      fix: 'put the folder itself there',
    }
    expect((await check(workspace, {})).findings).toMatchObject([found])
    expect((await doctor(workspace, {})).findings).toContainEqual(expect.objectContaining(found))
    const refused = { code: 'INTEGRITY', message: found.message }
    await expect(show(workspace, ID)).rejects.toMatchObject(refused)
    await expect(setLifecycle(workspace, ID, 'pause')).rejects.toMatchObject(refused)
    if (place === APP)
      expect(await list(workspace)).toMatchObject([{ state: 'broken', problem: found.message }])
    else await expect(list(workspace)).rejects.toMatchObject(refused)
  })

  test('finds an edited version that was given a manifest which fits, when it knows the base', async () => {
    const { root, workspace } = await twoVersions()
    const other = temporaryFolder()
    await makeApp(other, ID, 'evil', 'two')
    rmSync(path.join(root, APP, 'artifacts/v1'), { recursive: true })
    cpSync(path.join(other, APP, 'artifacts/v1'), path.join(root, APP, 'artifacts/v1'), { recursive: true })
    const { findings } = await check(workspace, { base: 'base' })
    expect(findings.map(({ kind }) => kind)).toEqual(['collision', 'edited'])
    expect(findings[1]!.message).toBe(
      `v1 of ${ID} is immutable, but data/words.txt was modified, manifest.json was modified, program.py was modified`,
    )
  })

  test('finds a version that was deleted, and a history that was cut', async () => {
    const { root, workspace } = await twoVersions()
    del('artifacts/v1')(root)
    edit('history.jsonl', '')(root)
    const { findings } = await check(workspace, { base: 'base' })
    expect(findings).toMatchObject([
      { kind: 'edited', message: `v1 of ${ID} was deleted` },
      { kind: 'history', message: `2 lines of the history of ${ID} were changed or taken away` },
    ])
  })

  test('finds that the base has made another v3 meanwhile', async () => {
    const { root, workspace } = await twoVersions()
    runGit(root, 'checkout', '-q', 'base')
    await addVersion(workspace, ID, 'theirs')
    runGit(root, 'checkout', '-q', '-')
    await addVersion(workspace, ID, 'ours')
    const { findings } = await check(workspace, { base: 'base' })
    expect(findings).toMatchObject([
      { kind: 'collision', message: expect.stringMatching(/^v3 of .* in base/) },
    ])
  })

  test('finds records and drafts that were committed', async () => {
    const { root, workspace } = await twoVersions()
    for (const file of ['datasets/executions/2026-01-01.jsonl', 'draft/program.py']) {
      mkdirSync(path.dirname(path.join(root, APP, file)), { recursive: true })
      edit(file, '')(root)
      runGit(root, 'add', '--force', `${APP}/${file}`)
    }
    const { findings } = await check(workspace, {})
    expect(findings).toMatchObject([
      { kind: 'tracked', message: expect.stringMatching(/executions.*datasets\.track does not allow/) },
      { kind: 'tracked', message: expect.stringMatching(/draft\/program\.py, which is a draft/) },
    ])
  })

  test('names a base that is not there', async () => {
    const { workspace } = await twoVersions()
    await expect(check(workspace, { base: 'origin/main' })).rejects.toMatchObject({ code: 'USAGE', exit: 2 })
  })
})

function link(target: string) {
  return (root: string) => {
    rmSync(path.join(root, APP, 'artifacts/active'))
    symlinkSync(target, path.join(root, APP, 'artifacts/active'))
  }
}
