import { cpSync, existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { doctor } from '../../src/actions/doctor.ts'
import { createWorkspace, type Workspace } from '../../src/actions/workspace.ts'
import { eachStep, runWriter } from '../helpers/processes.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('a sync that is killed at any step loses nothing, and the next one comes to the same end', {
  timeout: 120_000,
}, async () => {
  const origin = await twoClones()
  const killed = await eachStep(async number => {
    const folder = path.join(temporaryFolder(), 'copy')
    cpSync(origin, folder, { recursive: true, verbatimSymlinks: true })
    const root = path.join(folder, 'ours')
    runGit(root, 'remote', 'set-url', 'origin', path.join(folder, 'shared.git'))
    const before = runGit(root, 'rev-parse', 'HEAD')
    const crashed = await runWriter(root, ['sync'], { env: { LOOPAI_STOP_AT: `${number}:SIGKILL` } })

    if (number % 2) await doctor(workspaceOf(root), { fix: true })
    const again = await runWriter(root, ['sync'])
    expect(again, again.stderr).toMatchObject({ status: 0 })
    runGit(root, 'merge-base', '--is-ancestor', before, 'HEAD')
    expect(runGit(root, 'status', '--porcelain', '--untracked-files=all')).toBe('')
    expect(runGit(root, 'for-each-ref', 'refs/loopai')).toBe('')
    expect(runGit(root, 'fsck', '--no-dangling')).toBe('')
    expect(runGit(path.join(folder, 'shared.git'), 'rev-parse', 'main')).toBe(
      runGit(root, 'rev-parse', 'HEAD'),
    )
    expect(readdirSync(path.join(root, '.git/loopai'))).toEqual([])
    expect(existsSync(path.join(root, '.git/index.lock'))).toBe(false)
    expect(readlinkSync(path.join(root, 'loop-apps', ID, 'artifacts/active'))).toBe('v2')
    expect(await check(workspaceOf(root), {})).toMatchObject({ findings: [], versions: 3 })
    rmSync(folder, { recursive: true })
    return crashed.signal === 'SIGKILL'
  })
  expect(killed).toBeGreaterThanOrEqual(6)
})

/** A shared repository in which v2 was promoted, and a clone in which another v2 was. */
async function twoClones(): Promise<string> {
  const folder = temporaryFolder()
  const theirs = path.join(folder, 'theirs')
  const workspace = await makeApp(theirs, ID, 'one')
  const [shared, ours] = ['shared.git', 'ours'].map(name => path.join(folder, name))
  runGit(folder, 'clone', '-q', '--bare', theirs, shared!)
  runGit(folder, 'clone', '-q', shared!, ours!)
  await activateVersion(workspace, ID, await addVersion(workspace, ID, 'two of theirs'))
  runGit(theirs, 'push', '-q', shared!, 'HEAD')
  await activateVersion(workspaceOf(ours!), ID, await addVersion(workspaceOf(ours!), ID, 'two of ours'))
  return folder
}

function workspaceOf(root: string): Workspace {
  return createWorkspace({ cwd: root, dir: root, env: {} })
}
