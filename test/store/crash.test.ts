import { cpSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runWriter } from '../helpers/processes.ts'
import { runGit } from '../helpers/repository.ts'

/** A data directory with v1 active and v2 not yet, in which the user has staged a file. */
let folder: string
let origin: string

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'loopai crash '))
  origin = path.join(folder, 'origin')
  runGit(folder, 'init', '-q', origin)
  for (const args of [['init'], ['create', 'a'], ['add', 'a', 'one', 'two'], ['promote', 'a', '1']]) {
    await write(origin, args, { LOOPAI_DIR: origin })
  }
  writeFileSync(path.join(origin, 'theirs.txt'), 'staged\n')
  runGit(origin, 'add', 'theirs.txt')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each([
  { args: ['create', 'b'], steps: 9 },
  { args: ['add', 'a', 'three'], steps: 11 },
  { args: ['promote', 'a', '2'], steps: 12 },
  { args: ['rollback', 'a', '2'], steps: 12 },
])('a process killed at any step of $args', ({ args, steps }) => {
  test('leaves nothing that the next command does not finish or take back', {
    timeout: 120_000,
  }, async () => {
    const killed = await eachStep(async number => {
      const root = copyOfOrigin()
      const before = runGit(root, 'rev-parse', 'HEAD')
      const crashed = await runWriter(root, args, { env: { LOOPAI_STOP_AT: `${number}:SIGKILL` } })
      await write(root, number % 2 ? ['nothing', 'a'] : ['add', 'a', `after ${number}`])
      expectConsistent(root, before)
      rmSync(root, { recursive: true })
      return crashed.signal === 'SIGKILL'
    })
    expect(killed).toBeGreaterThanOrEqual(steps)
  })
})

test.each([
  ['a write that landed', 'landed'],
  ['a write that did not land', 'references locked'],
])('a process killed while it recovers from %s is recovered from', { timeout: 120_000 }, async (_, point) => {
  const killed = await eachStep(async number => {
    const root = copyOfOrigin()
    const before = runGit(root, 'rev-parse', 'HEAD')
    await runWriter(root, ['add', 'a', 'three'], { env: { LOOPAI_STOP_AT: `${point}:SIGKILL` } })
    const recovering = await runWriter(root, ['nothing', 'a'], {
      env: { LOOPAI_STOP_AT: `${number}:SIGKILL` },
    })
    await write(root, ['nothing', 'a'])
    expectConsistent(root, before)
    return recovering.signal === 'SIGKILL'
  })
  expect(killed).toBeGreaterThanOrEqual(3)
})

test('a number that was visible before a crash is not used again', async () => {
  const root = copyOfOrigin()
  await runWriter(root, ['add', 'a', 'three'], { env: { LOOPAI_STOP_AT: 'references locked:SIGKILL' } })
  expect(existsSync(path.join(root, 'loop-apps/a/artifacts/v3'))).toBe(true)
  await write(root, ['promote', 'a', '2'])
  expect(existsSync(path.join(root, 'loop-apps/a/artifacts/v3'))).toBe(false)
  expect(await write(root, ['add', 'a', 'other'])).toBe('[4]\n')
  expect(await write(root, ['add', 'a', 'more'])).toBe('[5]\n')
})

/** Runs `work` for steps 1, 2, 3 … until there is no such step, two at a time. Returns how many there were. */
async function eachStep(work: (step: number) => Promise<boolean>): Promise<number> {
  let next = 1
  const ends: number[] = []
  const run = async () => {
    for (let step = next++; ends.length === 0 || step < Math.min(...ends); step = next++) {
      if (!(await work(step))) ends.push(step)
    }
  }
  await Promise.all([run(), run()])
  return Math.min(...ends) - 1
}

function copyOfOrigin(): string {
  const root = mkdtempSync(path.join(folder, 'copy '))
  cpSync(origin, root, { recursive: true, verbatimSymlinks: true })
  return root
}

async function write(root: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { status, stdout, stderr } = await runWriter(root, args, { env })
  expect(status, stderr).toBe(0)
  return stdout
}

/** HEAD, link, history, versions, index and the user's staged file agree, and git has nothing to complain about. */
function expectConsistent(root: string, before: string): void {
  const app = 'loop-apps/a'
  expect(runGit(root, 'status', '--porcelain', '--untracked-files=all')).toBe('A  theirs.txt')
  expect(runGit(root, 'cat-file', 'blob', ':theirs.txt')).toBe('staged')
  expect(runGit(root, 'diff', '--cached', '--name-only')).toBe('theirs.txt')
  const link = readlinkSync(path.join(root, app, 'artifacts/active'))
  expect(runGit(root, 'cat-file', 'blob', `HEAD:${app}/artifacts/active`)).toBe(link)
  const history = runGit(root, 'cat-file', 'blob', `HEAD:${app}/history.jsonl`).split('\n')
  expect(`v${JSON.parse(history.at(-1)!).to}`).toBe(link)
  const versions = (names: string[]) => names.filter(name => name.startsWith('v')).sort()
  expect(versions(runGit(root, 'ls-tree', '--name-only', `HEAD:${app}/artifacts`).split('\n'))).toEqual(
    versions(readdirSync(path.join(root, app, 'artifacts'))),
  )
  runGit(root, 'merge-base', '--is-ancestor', before, 'HEAD')
  expect(runGit(root, 'fsck', '--no-dangling')).toBe('')
  expect(existsSync(path.join(root, '.git/index.lock'))).toBe(false)
  expect(readdirSync(path.join(root, '.git/loopai')).filter(name => name !== 'journal.json')).toEqual([])
}
