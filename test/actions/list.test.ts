import { readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { list } from '../../src/actions/list.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { promote } from '../../src/actions/promote.ts'
import { rollback } from '../../src/actions/rollback.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

beforeEach(() => {
  Object.assign(process.env, USER_ENV, { LOOPAI_CACHE_DIR: temporaryFolder() })
})

test('what is listed again is what is there now, whatever was remembered', async () => {
  const workspace = await makeApp(temporaryFolder(), 'spam-001', 'one', 'two')
  const before = await list(workspace)
  expect(before).toMatchObject([{ loop_app_id: 'spam-001', active_version: 2, versions: 2, state: 'active' }])
  // From here on the app has been at rest long enough to be remembered.
  await sleep(2100)
  expect(await list(workspace)).toEqual(before)
  expect(await list(workspace)).toEqual(before)
  await activateVersion(workspace, 'spam-001', 1)
  expect(await list(workspace)).toMatchObject([{ active_version: 1 }])
  await addVersion(workspace, 'spam-001', 'three')
  expect(await list(workspace)).toMatchObject([{ active_version: 1, latest_version: 3, versions: 3 }])
})

test('an active link that is gone, or leads to nothing, is told with the way back by whatever needs it', async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, 'spam-001', 'one', 'two')
  const folder = path.join(root, 'loop-apps/spam-001')
  const link = path.join(folder, 'artifacts/active')
  const exec = () => openExecutor(workspace, 'spam-001', { source: 'cli' })

  rmSync(link)
  const gone = 'artifacts/active of spam-001 is missing, although v2 was promoted'
  const fix = `restore it with: git -C '${folder}' checkout HEAD -- artifacts/active   or commit its removal, and: loopai promote spam-001 v2`
  expect(await list(workspace)).toMatchObject([{ state: 'broken', problem: gone, fix }])
  await expect(exec()).rejects.toMatchObject({ code: 'NO_ACTIVE_VERSION', message: gone, hint: fix })
  await expect(rollback(workspace, { app: 'spam-001' })).rejects.toMatchObject({ message: gone, hint: fix })

  symlinkSync('v9', link)
  const [listed] = await list(workspace)
  expect(listed).toMatchObject({
    state: 'broken',
    problem: 'active of spam-001 points at v9, which does not exist',
    fix: expect.stringContaining(`git -C '${folder}' checkout HEAD -- artifacts`),
  })
  await expect(exec()).rejects.toMatchObject({ message: listed!.problem, hint: listed!.fix })

  runGit(folder, 'checkout', '--', 'artifacts/active')
  expect(await list(workspace)).toMatchObject([{ state: 'active', active_version: 2 }])
})

test.each<[string, (link: string) => void]>([
  ['a link to elsewhere', link => symlinkSync('../../../../../etc', link)],
  [
    'a file with a conflict',
    link => writeFileSync(link, `<<<<<<< ours\nv1\n=======\nv2\n>>>>>>> ${'x'.repeat(60)}\n`),
  ],
])(
  '%s that was committed as the active link is replaced by promote and by rollback --to',
  async (_, damage) => {
    const root = temporaryFolder()
    const workspace = { ...(await makeApp(root, 'spam-001', 'one', 'two')), message: 'the link was broken' }
    const folder = path.join(root, 'loop-apps/spam-001')
    const link = path.join(folder, 'artifacts/active')
    const commitDamage = () => {
      rmSync(link)
      damage(link)
      runGit(root, 'commit', '-qam', 'damage')
    }
    commitDamage()
    const hint = `restore it with: git -C '${folder}' checkout HEAD -- artifacts   or activate another version with: loopai rollback spam-001 --to v2`
    expect(await list(workspace)).toMatchObject([{ state: 'broken', fix: hint }])
    await expect(rollback(workspace, { app: 'spam-001' })).rejects.toMatchObject({ code: 'INTEGRITY', hint })
    expect(await rollback(workspace, { app: 'spam-001', to: 'v2' })).toMatchObject({
      from: null,
      to: 2,
      marked: null,
    })
    expect(readlinkSync(link)).toBe('v2')
    commitDamage()
    expect(await promote(workspace, { address: 'spam-001@v1', force: true })).toMatchObject({
      from: null,
      to: 1,
    })
    expect(readlinkSync(link)).toBe('v1')
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  },
)

test('an app that is reached through a link, or whose manifest is not one, is listed as broken beside the others', async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, 'spam-001', 'one', 'two')
  const folder = path.join(root, 'loop-apps/spam-001')
  symlinkSync(folder, path.join(root, 'loop-apps/zoo-001'))
  expect(await list(workspace)).toMatchObject([
    { loop_app_id: 'spam-001', state: 'active' },
    {
      loop_app_id: 'zoo-001',
      state: 'broken',
      versions: 0,
      problem: expect.stringContaining('symbolic link'),
    },
  ])
  const manifest = path.join(folder, 'artifacts/v2/manifest.json')
  for (const text of ['{', '{"schema_version":1,"version":2,"loop_app_id":"spam-001"}']) {
    writeFileSync(manifest, text)
    const problem = expect.stringContaining('the manifest of v2 of spam-001 is broken')
    expect(await list(workspace)).toMatchObject([{ state: 'broken', problem }, { state: 'broken' }])
  }
})
