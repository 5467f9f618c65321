import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOrigin, expectConsistent, write } from '../helpers/data-directory.ts'
import { hasStopped, runWriter, startWriter } from '../helpers/processes.ts'
import { runGit } from '../helpers/repository.ts'

const IS_ROOT = process.getuid?.() === 0
/** A user who has to respect permissions, for a test that is run by root. */
const NOBODY = IS_ROOT ? 65534 : undefined
const canMount =
  IS_ROOT && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

let origin: Awaited<ReturnType<typeof createOrigin>>
beforeAll(async () => {
  origin = await createOrigin()
})
afterAll(() => origin.remove())

const WRITES = [
  ['add', 'a', 'three'],
  ['promote', 'a', '2'],
]

describe.skipIf(!canMount)('a disk that becomes full', () => {
  test.each(WRITES)(
    'at any step of %s leaves the old state or the new, and a clear error',
    async (...args) => {
      const disk = mkdtempSync(path.join(os.tmpdir(), 'loopai disk '))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m,mode=755', 'tmpfs', disk])
      try {
        await atEachStep(args, {
          make: () => origin.copy(disk),
          hinder: root => fill(path.join(root, '.git', 'filler')),
          restore: root => rmSync(path.join(root, '.git', 'filler')),
          codes: ['DISK_FULL'],
        })
      } finally {
        execFileSync('umount', [disk])
        rmSync(disk, { recursive: true })
      }
    },
  )
})

describe.skipIf(process.platform !== 'linux')('a data directory that becomes read-only', () => {
  test.each([
    { place: '.git', args: WRITES[0]! },
    { place: 'loop-apps', args: WRITES[1]! },
  ])(
    '($place) at any step of $args leaves the old state or the new, and a clear error',
    { timeout: 120_000 },
    async ({ place, args }) => {
      await atEachStep(args, {
        make: () => origin.copy(),
        hinder: root => execFileSync('chmod', ['-R', 'a-w', path.join(root, place)]),
        restore: root => execFileSync('chmod', ['-R', 'u+w', path.join(root, place)]),
        codes: ['NOT_WRITABLE'],
      })
    },
  )
})

interface Obstacle {
  make: () => string
  hinder: (root: string) => void
  restore: (root: string) => void
  codes: string[]
}

/** Stops a writer at its first step, its second, and so on, puts the obstacle in its way and lets it go on. */
async function atEachStep(args: string[], { make, hinder, restore, codes }: Obstacle): Promise<void> {
  for (let step = 1; ; step++) {
    const root = make()
    const before = runGit(root, 'rev-parse', 'HEAD')
    if (NOBODY !== undefined) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, root])
    const env = { LOOPAI_STOP_AT: `${step}:SIGSTOP` }
    const { child, ended } = startWriter(root, args, { env, ...(NOBODY !== undefined && { uid: NOBODY }) })
    const isStopped = await hasStopped(child.pid!)
    if (isStopped) {
      hinder(root)
      child.kill('SIGCONT')
    }
    const { status, stderr } = await ended
    if (isStopped) restore(root)
    if (NOBODY !== undefined) execFileSync('chown', ['-R', '0:0', root])
    if (status !== 0) expect(codes, `step ${step}: ${stderr}`).toContain(stderr.split(':')[0])
    await removeLocksOfGit(root)
    await write(root, ['nothing', 'a'])
    expectConsistent(root, before)
    rmSync(root, { recursive: true })
    if (!isStopped) {
      expect(status, stderr).toBe(0)
      expect(step).toBeGreaterThan(9)
      return
    }
  }
}

/** Locks that git itself could not take away again: a person has to, and is told which. */
async function removeLocksOfGit(root: string): Promise<void> {
  for (const name of ['HEAD.lock', 'refs/heads/master.lock']) {
    const lock = path.join(root, '.git', name)
    if (!existsSync(lock)) continue
    const { status, stderr } = await runWriter(root, ['nothing', 'a'])
    if (status !== 0) expect(stderr).toContain(`GIT_BUSY: another git command holds ${lock}`)
    rmSync(lock, { force: true })
  }
}

/** Writes a file until there is no room for another byte. */
function fill(file: string): void {
  const handle = openSync(file, 'w')
  for (let size = 65536; size >= 1; size /= 16) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(size))
    } catch {
      // Smaller pieces may still fit.
    }
  }
  closeSync(handle)
}
