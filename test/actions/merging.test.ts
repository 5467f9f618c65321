import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { check } from '../../src/actions/check.ts'
import { create } from '../../src/actions/create.ts'
import { doctor } from '../../src/actions/doctor.ts'
import { generate } from '../../src/actions/generate.ts'
import { mark } from '../../src/actions/mark.ts'
import { openExecutor } from '../../src/actions/open-executor.ts'
import { promote } from '../../src/actions/promote.ts'
import { remove } from '../../src/actions/remove.ts'
import { rollback } from '../../src/actions/rollback.ts'
import { setLifecycle } from '../../src/actions/set-lifecycle.ts'
import { sync } from '../../src/actions/sync.ts'
import type { Workspace } from '../../src/actions/workspace.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'
const APP = `loop-apps/${ID}`

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

/** A merge that has stopped because both sides changed the same line of a file. */
async function conflictIn(...names: string[]): Promise<{ root: string; workspace: Workspace }> {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one', 'two')
  writeFileSync(path.join(root, 'notes.md'), 'notes\n')
  runGit(root, 'add', 'notes.md')
  runGit(root, 'commit', '-qm', 'notes')
  writeFileSync(path.join(root, '.git/info/attributes'), 'history.jsonl merge\n')
  for (const side of ['theirs', 'ours']) {
    runGit(root, 'checkout', '-q', '-b', side, 'main')
    for (const name of names) {
      const file = path.join(root, name)
      const text = name.endsWith('.yaml')
        ? readFileSync(file, 'utf8').replace(/^name:.*$/m, `name: ${side}`)
        : `${readFileSync(file, 'utf8').trimEnd()}${side === 'ours' ? ' ' : '  '}\n`
      writeFileSync(file, text)
    }
    runGit(root, 'commit', '-qam', side)
  }
  expect(() => runGit(root, 'merge', 'theirs')).toThrow()
  return { root, workspace }
}

describe('during a merge with conflicts', () => {
  test('whatever writes says so first, and how to finish', async () => {
    const { root, workspace } = await conflictIn(`${APP}/config.yaml`, `${APP}/history.jsonl`)
    const writing: [string, () => Promise<unknown>][] = [
      ['add', () => add(workspace, { app: ID })],
      ['create', () => create(workspace, { id: 'other-001', template: 'blank' })],
      ['generate', () => generate(workspace, { app: ID })],
      ['mark', () => mark(workspace, `${ID}@v1`, 'bad')],
      ['pause', () => setLifecycle(workspace, ID, 'pause')],
      ['promote', () => promote(workspace, { address: ID })],
      ['remove', () => remove(workspace, `${ID}@v1`)],
      ['rollback', () => rollback(workspace, { app: ID })],
      ['sync', () => sync(workspace)],
    ]
    for (const [name, act] of writing) {
      await expect(act(), name).rejects.toMatchObject({
        code: 'GIT_BUSY',
        message: `a merge is in progress in ${root}`,
        hint: `finish it or abort it first: git -C '${root}' merge --continue   or   git -C '${root}' merge --abort`,
      })
    }
  })

  test.each(['config.yaml', 'history.jsonl'])('an execution names the conflict in %s', async name => {
    const { root, workspace } = await conflictIn(`${APP}/${name}`)
    await expect(openExecutor(workspace, ID, { source: 'cli' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(new RegExp(`${name}:\\d+ has a conflict that a merge has left$`)),
      hint: expect.stringMatching(new RegExp(`, then: git -C '${root}/${APP}' add ${name}$`)),
    })
  })

  test('check and doctor name each file once, and what to type wherever it is typed', async () => {
    const { root, workspace } = await conflictIn(`${APP}/config.yaml`, 'notes.md')
    const adding = `choose between the sides, take the markers out, then: git -C '${root}/${APP}' add config.yaml`
    const ways = `git -C '${root}' merge --continue   or   git -C '${root}' merge --abort`
    const conflict = {
      kind: 'config',
      message: expect.stringContaining('config.yaml:3 has a conflict that a merge has left'),
      fix: adding,
    }
    const merging = {
      kind: 'git',
      message: `both sides of a merge have changed notes.md`,
      fix: `choose between the sides, then: git -C '${root}' add <file>   and: ${ways}`,
    }
    expect((await check(workspace, {})).findings).toMatchObject([conflict, merging])
    expect((await doctor(workspace, {})).findings).toMatchObject([conflict, merging])
    runGit(root, 'checkout', '-q', '--ours', 'notes.md')
    runGit(root, 'add', 'notes.md')
    expect((await check(workspace, {})).findings).toMatchObject([
      conflict,
      { message: 'a merge is in progress', fix: `finish it or abort it: ${ways}` },
    ])
  })

  test('check finds it in loopai.yaml as well', async () => {
    const { root, workspace } = await conflictIn(`${APP}/config.yaml`)
    appendFileSync(path.join(root, 'loopai.yaml'), '<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> theirs\n')
    expect(await check(workspace, {})).toMatchObject({
      outcome: 'fail',
      findings: [{ kind: 'config', message: expect.stringMatching(/loopai\.yaml:\d+ has a conflict/) }],
    })
  })
})

test('doctor finds a rebase that waits for a person; check does not mind to be what it runs', async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one')
  runGit(root, '-c', 'sequence.editor=sed -i 1s/pick/edit/', 'rebase', '-i', 'HEAD~1')
  expect((await doctor(workspace, {})).findings).toMatchObject([
    { message: 'a rebase is in progress', fix: expect.stringContaining('rebase --abort') },
  ])
  expect((await check(workspace, {})).findings).toEqual([])
})
