import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { runWriter } from '../helpers/processes.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'

const VERSIONS = 'loop-apps/a/artifacts'

test('20 processes with 3 versions each all land, and the staged file stays staged', {
  timeout: 120_000,
}, async () => {
  const root = await dataDirectory()
  writeFileSync(path.join(root, 'theirs.txt'), 'staged\n')
  runGit(root, 'add', 'theirs.txt')
  const entry = runGit(root, 'ls-files', '--stage', 'theirs.txt')
  const numbers = await addFromProcesses(root, 20, 3)
  expect(numbers).toEqual(upTo(60))
  expectOwnPathsOnly(root, 60)
  expect(runGit(root, 'status', '--porcelain')).toBe('A  theirs.txt')
  expect(runGit(root, 'ls-files', '--stage', 'theirs.txt')).toBe(entry)
  expect(runGit(root, 'fsck', '--no-dangling')).toBe('')
})

test('while the user commits in a loop, nothing of theirs or ours is lost or mixed', {
  timeout: 120_000,
}, async () => {
  const root = await dataDirectory()
  writeFileSync(path.join(root, 'theirs.txt'), '0\n')
  runGit(root, 'add', 'theirs.txt')
  runGit(root, 'commit', '-qm', 'user 0')
  const user = commitInLoop(root)
  const numbers = await addFromProcesses(root, 6, 3).catch(user.stop)
  const flips = await Promise.all([1, 2].map(number => runWriter(root, ['promote', 'a', `${number}`])))
  const committed = await user.stop()
  expect(flips.some(({ status }) => status === 0)).toBe(true)
  expect(numbers).toEqual(upTo(18))
  expect(committed).toBeGreaterThan(10)
  expectOwnPathsOnly(root, 18)
  const theirs = runGit(root, 'log', '--format=', '--name-status', '--grep=^user').split('\n').filter(Boolean)
  expect(new Set(theirs)).toEqual(new Set(['M\ttheirs.txt', 'A\ttheirs.txt']))
  expect(theirs).toHaveLength(committed + 1)
  expect(runGit(root, 'status', '--porcelain').replace(' M theirs.txt', '')).toBe('')
})

async function dataDirectory(): Promise<string> {
  const root = temporaryFolder()
  runGit(root, 'init', '-q')
  for (const args of [['init'], ['create', 'a']]) {
    expect(await runWriter(root, args, { env: { LOOPAI_DIR: root } })).toMatchObject({ status: 0 })
  }
  return root
}

async function addFromProcesses(root: string, processes: number, each: number): Promise<number[]> {
  const ended = await Promise.all(
    upTo(processes).map(process => {
      const texts = upTo(each).map(number => `${process}-${number}`)
      return runWriter(root, ['add', 'a', ...texts])
    }),
  )
  expect(ended.filter(({ status }) => status !== 0).map(({ stderr }) => stderr)).toEqual([])
  return ended.flatMap(({ stdout }) => JSON.parse(stdout) as number[]).sort((a, b) => a - b)
}

/** Every version has one commit, which holds its folder and its row of examples and nothing else. */
function expectOwnPathsOnly(root: string, count: number): void {
  const log = runGit(root, 'log', '--format=%x00%s', '--name-status', '--grep=: add v').split('\0').slice(1)
  expect(log).toHaveLength(count)
  for (const commit of log) {
    const [subject, ...paths] = commit.split('\n').filter(Boolean)
    const version = subject!.split(' ').at(-1)
    const own = [`A\t${VERSIONS}/${version}/`, 'A\tloop-apps/a/datasets/examples/']
    expect(paths).toHaveLength(4)
    expect(paths.filter(line => !own.some(start => line.startsWith(start)))).toEqual([])
  }
  const names = readdirSync(path.join(root, VERSIONS)).filter(name => /^v\d/.test(name))
  expect(names).toHaveLength(count)
  const tracked = runGit(root, 'ls-tree', '--name-only', `HEAD:${VERSIONS}`).split('\n')
  expect(tracked.filter(name => name !== 'active').sort()).toEqual(names.sort())
}

/** A person who changes a file and commits everything that is tracked, again and again. */
function commitInLoop(root: string) {
  let isOver = false
  let committed = 0
  const loop = (async () => {
    for (let number = 1; !isOver; number++) {
      appendFileSync(path.join(root, 'theirs.txt'), `${number}\n`)
      const options = { cwd: root, env: { ...process.env, ...USER_ENV } }
      if (spawnSync('git', ['commit', '-qam', `user ${number}`], options).status === 0) committed++
      await sleep(1)
    }
  })()
  return {
    stop: async () => {
      isOver = true
      await loop
      expect(existsSync(path.join(root, '.git/index.lock'))).toBe(false)
      return committed
    },
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
