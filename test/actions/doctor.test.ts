import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { doctor } from '../../src/actions/doctor.ts'
import { init } from '../../src/actions/init.ts'
import { promote } from '../../src/actions/promote.ts'
import { setLifecycle } from '../../src/actions/set-lifecycle.ts'
import { SETTLED_MS } from '../../src/store/verified.ts'
import { runWriter } from '../helpers/processes.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'
const APP = `loop-apps/${ID}`

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

describe('doctor', () => {
  test('tells what this machine has, and finds nothing in a sound data directory', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    const diagnosis = await doctor(workspace, { deep: true })
    expect(diagnosis).toMatchObject({ node: process.versions.node, root, findings: [], fixed: [] })
    expect(diagnosis.git).toMatch(/^2\.\d+/)
    expect(diagnosis.python).toMatch(/^3\.\d+/)
    expect(['bubblewrap', 'landlock']).toContain(diagnosis.sandbox?.tier)
  })

  test('looks at the machine alone where there is no data directory', async () => {
    const cwd = temporaryFolder()
    const workspace = { ...(await makeApp(temporaryFolder(), ID)), cwd, dir: undefined }
    expect(await doctor(workspace, {})).toMatchObject({ root: null, findings: [] })
  })

  test('a repository of another user is told in the words of git, with what to type', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one')
    vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1')
    onTestFinished(() => void vi.unstubAllEnvs())
    const message = `git rev-parse: fatal: detected dubious ownership in repository at '${root}'`
    const fix = `git config --global --add safe.directory '${root}'`
    expect((await doctor(workspace, {})).findings).toEqual([{ kind: 'git', loop_app_id: null, message, fix }])
    const refused = { code: 'GIT_FAILED', message, hint: fix }
    await expect(check(workspace, {})).rejects.toMatchObject(refused)
    await expect(setLifecycle(workspace, ID, 'pause')).rejects.toMatchObject(refused)
    await expect(promote(workspace, { address: ID })).rejects.toMatchObject(refused)
  })

  test('removes what a crash left under a temporary name, and nothing of a process that lives', async () => {
    const root = temporaryFolder()
    const inAnHour = new Date(Date.now() + 3_600_000)
    const workspace = { ...(await makeApp(root, ID)), now: () => inAnHour }
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const artifacts = path.join(root, APP, 'artifacts')
    const [left, recent] = [`.tmp-${dead}-0123abcd`, `.tmp-${dead}-0123abce`].map(name =>
      path.join(artifacts, name),
    )
    // The number was given to this process since.
    const before = path.join(artifacts, `.tmp-${process.pid}-0123abcf`)
    const alive = path.join(artifacts, `.tmp-${process.pid}-0123abcd`)
    for (const folder of [left!, recent!, before, alive]) mkdirSync(folder, { recursive: true })
    utimesSync(recent!, inAnHour, inAnHour)
    const aDayAgo = new Date(Date.now() - 86_400_000)
    utimesSync(before, aDayAgo, aDayAgo)
    const { findings } = await doctor(workspace, {})
    expect(findings).toMatchObject([
      { kind: 'leftover', message: expect.stringMatching(/left 2 temporary.*abc[df]$/) },
    ])
    expect(await doctor(workspace, { fix: true })).toMatchObject({
      findings: [],
      fixed: [findings[0]!.message],
    })
    expect([left!, recent!, before, alive].map(existsSync)).toEqual([false, true, false, true])
  })

  test('finishes a write that was killed', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two')
    await runWriter(root, ['rollback', ID, '1'], { env: { LOOPAI_STOP_AT: 'landed:SIGKILL' } })
    const { findings } = await doctor(workspace, {})
    expect(findings).toMatchObject([
      { kind: 'leftover', message: `a crash interrupted a write: ${ID}: rollback v2 -> v1` },
    ])
    expect(await doctor(workspace, { fix: true })).toMatchObject({ findings: [] })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('closes a line that was cut off, and counts those that cannot be read when it looks deep', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID)
    const folder = path.join(root, APP, 'datasets/executions')
    mkdirSync(folder, { recursive: true })
    const file = path.join(folder, '2026-01-01.jsonl')
    writeFileSync(file, '{"a":1}\n{"b":')
    expect(await doctor(workspace, {})).toMatchObject({ findings: [{ kind: 'records', loop_app_id: ID }] })
    await doctor(workspace, { fix: true })
    expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"b":\n')
    expect(await doctor(workspace, {})).toMatchObject({ findings: [] })
    expect(await doctor(workspace, { deep: true })).toMatchObject({
      findings: [{ message: `1 line of ${file} cannot be read, and readers skip them` }],
    })
  })

  test('restores our rules', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID)
    rmSync(path.join(root, '.gitignore'))
    runGit(root, 'commit', '-qam', 'no rules')
    expect(await doctor(workspace, {})).toMatchObject({
      findings: [{ kind: 'rules', message: expect.stringMatching(/^\.gitignore lacks/) }],
    })
    expect(await doctor(workspace, { fix: true })).toMatchObject({ findings: [] })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(await init(workspace, root)).toMatchObject({ changed: false })
  })

  test('finds rules that hide a program or change its bytes', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one')
    appendFileSync(path.join(root, '.gitignore'), '*.bin\n')
    appendFileSync(path.join(root, '.gitattributes'), '*.py text eol=crlf\n')
    writeFileSync(path.join(root, APP, 'tests/model.bin'), '')
    const { findings } = await doctor(workspace, {})
    expect(findings.map(({ message }) => message)).toEqual([
      'git attributes would change programs: text is set, eol is crlf for loop-apps/*/artifacts',
      `git ignores ${APP}/tests/model.bin, which belongs into it (1 files)`,
    ])
  })

  test('finds what is edited or missing in any version, also one that was found sound before', async () => {
    const root = temporaryFolder()
    const workspace = await makeApp(root, ID, 'one', 'two', 'three')
    await sleep(SETTLED_MS + 100)
    expect(await doctor(workspace, {})).toMatchObject({ findings: [] })
    appendFileSync(path.join(root, APP, 'artifacts/v1/program.py'), '#')
    rmSync(path.join(root, APP, 'artifacts/v2/program.py'))
    for (const deep of [false, true]) {
      expect(await doctor(workspace, { deep })).toMatchObject({
        findings: [
          { kind: 'version', message: expect.stringMatching(/^v1 of/) },
          { kind: 'version', message: expect.stringMatching(/^v2 of/) },
        ],
      })
    }
  })

  test('says who is missing when git knows no identity', async () => {
    const workspace = await makeApp(temporaryFolder(), ID)
    for (const name of Object.keys(USER_ENV).filter(name => name.startsWith('GIT_'))) {
      if (!name.startsWith('GIT_CONFIG')) delete process.env[name]
    }
    const { findings } = await doctor(workspace, {})
    expect(findings).toMatchObject([
      { kind: 'git', fix: expect.stringMatching(/git config --global user\.name/) },
    ])
  })
})
