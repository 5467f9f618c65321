import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { check } from '../../src/actions/check.ts'
import { init } from '../../src/actions/init.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { show } from '../../src/actions/show.ts'
import { createWorkspace } from '../../src/actions/workspace.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

const ID = 'spam-detector-001'

const CONFIG = `loop_app_id: ${ID}
name: "Email Spam Detector"
task: "Classify emails as spam or ham"
input_schema:
  type: object
  properties:
    text: {type: string}
    sender: {type: string}
output_schema:
  type: string
  enum: [spam, ham]
current_version: 3
endpoint: /loop-apps/${ID}/execute
`

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

/** The tree that the concept document shows. */
function conceptTree(): string {
  const root = temporaryFolder()
  const app = path.join(root, 'loop-apps', ID)
  for (const number of [1, 2, 3]) {
    const folder = path.join(app, 'artifacts', `v${number}`)
    mkdirSync(folder, { recursive: true })
    const program = `VERSION = ${number}\n\ndef execute(input_data):\n    return {"result": "spam", "confidence": 0.9}\n`
    writeFileSync(path.join(folder, 'program.py'), program)
  }
  symlinkSync('v3/', path.join(app, 'artifacts/active'))
  mkdirSync(path.join(app, 'datasets/executions'), { recursive: true })
  writeFileSync(path.join(app, 'datasets/executions/2025-10-29.jsonl'), '{}\n')
  writeFileSync(path.join(app, 'config.yaml'), CONFIG)
  return root
}

describe('a tree as the concept document shows it', () => {
  test('is adopted: its versions get manifests, and what was active runs', async () => {
    const root = conceptTree()
    const workspace = createWorkspace({ cwd: root, env: {} })
    const result = await init(workspace)
    expect(result).toMatchObject({ root, changed: true })
    expect(result.adopted).toEqual([{ loop_app_id: ID, versions: [1, 2, 3], active: 3 }])
    expect(readlinkSync(path.join(root, 'loop-apps', ID, 'artifacts/active'))).toBe('v3')
    expect(readFileSync(path.join(root, 'loop-apps', ID, 'config.yaml'), 'utf8')).toBe(CONFIG)
    expect(runGit(root, 'status', '--porcelain')).toBe('')
    expect(runGit(root, 'ls-files', '--', '*executions*')).toBe('')
    expect(await check(workspace, {})).toMatchObject({ findings: [], versions: 3 })
    expect(await show(workspace, `${ID}@v3`)).toMatchObject({
      version: { status: 'active', parent: 2, origin: { kind: 'import' } },
    })
    const executor = await openExecutor(workspace, ID, { source: 'cli', record: false })
    expect(await executor.execute({ text: 'free prize' })).toMatchObject({ output: 'spam', version: 3 })
    await executor.close()
    expect(await init(workspace)).toMatchObject({ changed: false, adopted: [] })
  })

  test('is left alone where it cannot be understood, and the others are adopted all the same', async () => {
    const root = conceptTree()
    mkdirSync(path.join(root, 'loop-apps/broken-app/artifacts/v1'), { recursive: true })
    writeFileSync(path.join(root, 'loop-apps/broken-app/config.yaml'), 'task: 5\n')
    const said: string[] = []
    const workspace = createWorkspace({ cwd: root, env: {}, report: sentence => said.push(sentence) })
    expect((await init(workspace)).adopted).toHaveLength(1)
    expect(said).toEqual([expect.stringMatching(/^broken-app was not adopted: .*config\.yaml/)])
  })
})
