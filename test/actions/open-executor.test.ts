import { utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('a program that git does not cease to replace is refused, not used', { timeout: 60_000 }, async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one', 'two')
  const program = path.join(root, 'loop-apps', ID, 'artifacts/v2/program.py')
  writeFileSync(path.join(root, '.git/index.lock'), '')
  const touching = setInterval(() => utimesSync(program, new Date(), new Date()), 5)
  try {
    await expect(openExecutor(workspace, ID, { source: 'cli', unsandboxed: true })).rejects.toMatchObject({
      code: 'GIT_BUSY',
      message: `git keeps writing the files of ${ID} while it is opened`,
    })
  } finally {
    clearInterval(touching)
  }
})
