import { beforeEach, expect, test } from 'vitest'
import { diff } from '../../src/actions/diff.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { remove } from '../../src/actions/remove.ts'
import { temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('shows the files that differ as a patch, without the manifests', async () => {
  const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
  const found = await diff(workspace, { app: ID, from: 'v1', to: 'v2' })
  expect(found).toMatchObject({
    from: { version: 1 },
    to: { version: 2 },
    same: false,
    contract: [],
    files: [
      { path: 'data/words.txt', change: 'changed' },
      { path: 'program.py', change: 'changed' },
    ],
  })
  expect(found.patch).toContain('--- v1/data/words.txt\n+++ v2/data/words.txt\n@@ -1 +1 @@\n-one\n+two\n')
  expect(found.patch).not.toContain('manifest.json')
})

test('compares what is active with the latest, and the active one with the one before when it is the latest', async () => {
  const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
  expect(await diff(workspace, { app: ID })).toMatchObject({ from: { version: 1 }, to: { version: 2 } })
  await addVersion(workspace, ID, 'three')
  expect(await diff(workspace, { app: ID })).toMatchObject({ from: { version: 2 }, to: { version: 3 } })
  expect(await diff(workspace, { app: ID, from: 'v1' })).toMatchObject({
    from: { version: 2 },
    to: { version: 1 },
  })
  expect(await diff(workspace, { app: ID, from: 'v1', to: 'v1' })).toMatchObject({ same: true, patch: '' })
})

test('does not take a version that was removed for one without files', async () => {
  const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
  await addVersion(workspace, ID, 'three')
  await remove(workspace, `${ID}@v3`)
  const refusal = { code: 'VERSION_NOT_FOUND', message: expect.stringContaining('v3 of ') }
  await expect(diff(workspace, { app: ID, from: 'v2', to: 'v3' })).rejects.toMatchObject(refusal)
})

test('replays recorded inputs through both, and names those whose answer changes', async () => {
  const workspace = await makeApp(temporaryFolder(), ID, 'one', 'two')
  await expect(diff(workspace, { app: ID, replay: 2 })).rejects.toMatchObject({ code: 'EXECUTION_NOT_FOUND' })
  const executor = await openExecutor(workspace, ID, { source: 'cli' })
  for (const text of ['a', 'b', 'c']) await executor.execute({ text })
  await executor.close()
  const { replay, same } = await diff(workspace, { app: ID, replay: 2 })
  expect(same).toBe(false)
  expect(replay?.inputs).toBe(2)
  expect(replay?.changed).toMatchObject([
    { input: { text: 'b' }, from: 'one', to: 'two' },
    { input: { text: 'c' }, from: 'one', to: 'two' },
  ])
  const unchanged = await diff(workspace, { app: ID, from: 'v2', to: 'v2', replay: 5 })
  expect(unchanged).toMatchObject({ same: true, replay: { inputs: 3, changed: [] } })
})
