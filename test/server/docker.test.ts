import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { validate } from 'dockerfile-utils'
import { expect, test } from 'vitest'
import { init } from '../../src/actions/init.ts'
import { LOOPAI_VERSION } from '../../src/package.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'
import { works } from '../helpers/works.ts'
import { workspaceIn } from '../helpers/workspace.ts'

const hadolint = process.env.LOOPAI_TEST_HADOLINT ?? 'hadolint'
const hasHadolint = works(hadolint, ['--version'])

async function dockerDirectory(): Promise<string> {
  const root = temporaryFolder()
  await init(workspaceIn(root), root, ['docker'])
  return root
}

test('init --with docker adds a Dockerfile and commits it; a second time nothing changes', async () => {
  const root = await dockerDirectory()
  expect(runGit(root, 'ls-files').split('\n')).toEqual([
    '.dockerignore',
    '.gitattributes',
    '.gitignore',
    'Dockerfile',
    'loopai.yaml',
  ])
  const file = path.join(root, 'Dockerfile')
  expect(readFileSync(file, 'utf8')).toContain(`loopai-${LOOPAI_VERSION}.tgz`)
  writeFileSync(file, '# a person has changed it\n')
  expect(await init(workspaceIn(root), root, ['docker'])).toMatchObject({ changed: false })
  expect(readFileSync(file, 'utf8')).toBe('# a person has changed it\n')
})

test('what init cannot add is refused', async () => {
  const root = temporaryFolder()
  await expect(init(workspaceIn(root), root, ['dokcer'])).rejects.toMatchObject({
    code: 'USAGE',
    hint: 'did you mean docker?',
  })
})

test('the Dockerfile is valid, and ends as a user that is not root', async () => {
  const text = readFileSync(path.join(await dockerDirectory(), 'Dockerfile'), 'utf8')
  expect(validate(text)).toEqual([])
  expect(validate(`${text}\nHEALTHCHEK NONE\n`)).not.toEqual([])
  expect(text.match(/^USER (.+)$/gm)!.at(-1)).toBe('USER 1000:1000')
})

test.skipIf(!hasHadolint)(
  `hadolint has no objection${hasHadolint ? '' : ' (skipped: no hadolint)'}`,
  async () => {
    const file = path.join(await dockerDirectory(), 'Dockerfile')
    const { stdout, status } = spawnSync(hadolint, [file], { encoding: 'utf8' })
    expect(stdout).toBe('')
    expect(status).toBe(0)
  },
)
