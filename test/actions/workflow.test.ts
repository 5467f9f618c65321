import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { init } from '../../src/actions/init.ts'
import { createWorkspace } from '../../src/actions/workspace.ts'
import { COMMANDS } from '../../src/commands/index.ts'
import { parseYaml } from '../../src/store/yaml.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

const VERSION = 'v1.7.7'
const actionlint = findActionlint()

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

async function workflowIn(folder: string): Promise<{ root: string; file: string }> {
  const root = temporaryFolder()
  runGit(root, 'init', '-q')
  const workspace = createWorkspace({ cwd: root, env: {} })
  const { workflow, changed } = await init(workspace, folder, ['github-actions'])
  expect(changed).toBe(true)
  return { root, file: workflow! }
}

describe('the workflow for GitHub Actions', () => {
  test('is committed at the root of the repository, and knows where the data directory is', async () => {
    const { root, file } = await workflowIn("bob's data")
    expect(path.relative(root, file)).toBe('.github/workflows/loop-apps.yaml')
    const workflow = parseYaml(readFileSync(file, 'utf8'), file)[0]!.value
    expect(workflow).toMatchObject({
      on: { pull_request: { paths: ["bob's data/**"] } },
      env: { LOOPAI_DIR: "bob's data" },
    })
    expect(runGit(root, 'status', '--porcelain')).toBe('')
  })

  test('is never written over', async () => {
    const { root, file } = await workflowIn('.')
    writeFileSync(file, 'mine\n')
    const workspace = createWorkspace({ cwd: root, env: {} })
    expect(await init(workspace, '.', ['github-actions'])).toMatchObject({ changed: false })
    expect(readFileSync(file, 'utf8')).toBe('mine\n')
  })

  test('names commands and options that there are', async () => {
    const { file } = await workflowIn('.')
    const used = readFileSync(file, 'utf8').matchAll(/npx --no-install loopai (\w+)(.*)/g)
    const lines = [...used].map(([, name, rest]) => ({
      name: name!,
      options: rest!.match(/--[a-z-]+/g) ?? [],
    }))
    expect(lines.map(({ name }) => name)).toEqual([
      ...['check', 'trust', 'prepare', 'test'],
      ...['trust', 'prepare', 'promote'],
    ])
    for (const { name, options } of lines) {
      const { Command } = await import('commander')
      const command = new Command(name)
      ;(await COMMANDS[name]!.load()).default.define(command)
      const known = command.options.map(({ long }) => long)
      expect(known).toEqual(expect.arrayContaining(options))
    }
  })

  test.skipIf(!actionlint)('passes actionlint', async () => {
    const { root } = await workflowIn('data with spaces')
    expect(execFileSync(actionlint!, ['-no-color'], { cwd: root, encoding: 'utf8' })).toBe('')
  })
})

/** On the PATH, else made with Go where there is one; without either the test is skipped, and says so. */
function findActionlint(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(path.delimiter).map(folder => path.join(folder, 'actionlint'))
  const folder = path.join(os.homedir(), '.cache', 'loopai-test', `actionlint-${VERSION}`)
  const found = [...onPath, path.join(folder, 'actionlint')].find(file => existsSync(file))
  if (found) return found
  try {
    mkdirSync(folder, { recursive: true })
    const env = { ...process.env, GOBIN: folder }
    const module = `github.com/rhysd/actionlint/cmd/actionlint@${VERSION}`
    execFileSync('go', ['install', module], { env, stdio: 'pipe', timeout: 120_000 })
    return path.join(folder, 'actionlint')
  } catch (error) {
    process.stderr.write(
      `no actionlint, so the workflow is not linted: ${(error as Error).message.split('\n')[0]}\n`,
    )
    return undefined
  }
}
