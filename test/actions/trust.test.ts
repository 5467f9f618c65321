import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { listAsks, trust } from '../../src/actions/trust.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('agreeing holds for exactly what was asked, on this machine, and outside the repository', async () => {
  const root = temporaryFolder()
  const folder = temporaryFolder()
  process.env.LOOPAI_CONFIG_DIR = folder
  const workspace = await makeApp(root, ID)
  expect(await listAsks(workspace)).toEqual([])
  const config = path.join(root, 'loop-apps', ID, 'config.yaml')
  appendFileSync(config, '\ngenerator: {use: command, command: [my-agent, --fast]}\n')
  const asked = await listAsks(workspace, { id: ID })
  expect(asked).toEqual([
    { loop_app_id: ID, ask: { kind: 'command', command: ['my-agent', '--fast'] }, trusted: false },
  ])
  await trust(workspace, asked)
  expect(await listAsks(workspace)).toMatchObject([{ trusted: true }])
  expect(runGit(root, 'status', '--porcelain')).toBe(` M loop-apps/${ID}/config.yaml`)
  expect(readFileSync(path.join(folder, 'trust.json'), 'utf8')).toContain('my-agent')
  writeFileSync(config, readFileSync(config, 'utf8').replace('--fast', '--slow'))
  expect(await listAsks(workspace)).toMatchObject([{ trusted: false }])
  delete process.env.LOOPAI_CONFIG_DIR
})
