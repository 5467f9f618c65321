import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { withLock } from '../../src/store/lock.ts'
import { describeSelf, type Owner } from '../../src/store/owner.ts'
import { temporaryFolder } from '../helpers/repository.ts'

test('only one holds the lock at a time', async () => {
  const folder = temporaryFolder()
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 20 }, () =>
      withLock(folder, async () => {
        most = Math.max(most, ++inside)
        await new Promise(resolve => setTimeout(resolve, 2))
        inside--
      }),
    ),
  )
  expect(most).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test.each<[string, Partial<Owner>]>([
  ['that has ended', { pid: endedProcess() }],
  ['whose process id was given to another process', { start: 'earlier' }],
])('an owner %s is taken over', async (_, owner) => {
  const folder = temporaryFolder()
  leave(folder, 'lock', { ...describeSelf('dead'), ...owner })
  expect(await withLock(folder, async () => readFileSync(path.join(folder, 'lock'), 'utf8'))).not.toContain(
    '"id":"dead"',
  )
  expect(readdirSync(folder)).toEqual([])
})

test('an heir that died while taking over is taken over as well', async () => {
  const folder = temporaryFolder()
  leave(folder, 'lock', { ...describeSelf('dead'), pid: endedProcess() })
  leave(folder, 'after.dead', { ...describeSelf('heir'), pid: endedProcess() })
  leave(folder, 'lock.heir', { ...describeSelf('heir'), pid: endedProcess() })
  expect(await withLock(folder, async () => 'done')).toBe('done')
  expect(readdirSync(folder)).toEqual([])
})

test('many take over a dead owner, one after the other', async () => {
  const folder = temporaryFolder()
  leave(folder, 'lock', { ...describeSelf('dead'), pid: endedProcess() })
  let inside = 0
  const together: number[] = []
  await Promise.all(
    Array.from({ length: 10 }, () =>
      withLock(folder, async () => {
        together.push(++inside)
        await new Promise(resolve => setTimeout(resolve, 5))
        inside--
      }),
    ),
  )
  expect(together).toEqual(Array(10).fill(1))
  expect(existsSync(path.join(folder, 'lock'))).toBe(false)
})

test('a live owner is waited for, then named; so is one of another machine or container', async () => {
  const owners = [{ pid: process.pid }, { pid: endedProcess(), host: 'elsewhere' }, { pids: 'pid:[1]' }]
  await Promise.all(
    owners.map(async owner => {
      const folder = temporaryFolder()
      leave(folder, 'lock', { ...describeSelf('x'), command: 'loopai generate a', ...owner })
      await expect(withLock(folder, async () => {})).rejects.toMatchObject({
        code: 'LOCKED',
        exit: 5,
        message: expect.stringContaining(`loopai generate a (pid ${owner.pid ?? process.pid} on`),
      })
    }),
  )
})

function leave(folder: string, name: string, owner: Owner): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, name), JSON.stringify(owner))
}

function endedProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid
}
