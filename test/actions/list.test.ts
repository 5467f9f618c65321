import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { list } from '../../src/actions/list.ts'
import { temporaryFolder, USER_ENV } from '../helpers/repository.ts'
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
