import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { runWriter, startWriter } from '../helpers/processes.ts'
import { runGit, temporaryFolder, USER_ENV } from '../helpers/repository.ts'
import { activateVersion, addVersion, makeApp } from '../helpers/versions.ts'

const ID = 'spam-detector-001'

beforeEach(() => {
  Object.assign(process.env, USER_ENV)
})

test('while versions are promoted, no reading fails and none is mixed', { timeout: 120_000 }, async () => {
  const root = temporaryFolder()
  await makeApp(root, ID, 'one', 'two')
  const stop = readInLoop(root)
  const promoting = await runWriter(root, ['alternate', ID, '60', '1', '2'])
  expect(promoting).toMatchObject({ status: 0 })
  expect(await stop()).toEqual(['one', 'two'])
})

test('while git pull brings promotions, no reading fails and none is mixed', {
  timeout: 120_000,
}, async () => {
  const upstream = temporaryFolder()
  const workspace = await makeApp(upstream, ID, 'one', 'two')
  const root = path.join(temporaryFolder(), 'clone')
  runGit(upstream, 'clone', '-q', upstream, root)
  const stop = readInLoop(root)
  const texts = ['two']
  for (let i = 0; i < 15; i++) {
    texts.push(`${i}`)
    await activateVersion(workspace, ID, await addVersion(workspace, ID, `${i}`))
    runGit(root, 'pull', '-q', '--ff-only')
  }
  expect(texts).toEqual(expect.arrayContaining(await stop()))
})

test('while git checkout changes the branch, no reading fails and none is mixed', {
  timeout: 120_000,
}, async () => {
  const root = temporaryFolder()
  const workspace = await makeApp(root, ID, 'one', 'two')
  const branches = ['a', 'b']
  for (const branch of branches) {
    runGit(root, 'checkout', '-q', '-b', branch, 'main')
    await activateVersion(workspace, ID, await addVersion(workspace, ID, `three of ${branch}`))
  }
  const stop = readInLoop(root)
  for (let i = 1; i <= 60; i++) {
    runGit(root, 'checkout', '-q', branches[i % 2]!)
    // A reader gives up when git has kept writing for ten seconds: on a busy machine it needs a longer pause than most of these.
    await sleep(i % 15 === 0 ? 2000 : Math.random() * 200)
  }
  expect(await stop()).toEqual(['three of a', 'three of b'])
})

/** Processes that execute the app again and again. `stop` waits for them, and tells what they were answered. */
function readInLoop(root: string) {
  const readers = [1, 2].map(() => startWriter(root, ['read', ID], { isFed: true }))
  return async (): Promise<string[]> => {
    for (const { child } of readers) child.stdin!.end()
    const ended = await Promise.all(readers.map(({ ended }) => ended))
    expect(ended.map(({ stderr }) => stderr)).toEqual(['', ''])
    const found = ended.map(({ stdout }) => JSON.parse(stdout))
    expect(found.flatMap(({ failures }) => failures)).toEqual([])
    return [...new Set(found.flatMap(({ answers }) => answers))].sort()
  }
}
