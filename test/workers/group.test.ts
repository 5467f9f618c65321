import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { hierarchies, openGroup } from '../../src/workers/group.ts'
import { openCode, openFixture } from '../helpers/workers.ts'

const trial = openGroup(DEFAULT_LIMITS)
trial?.close()

describe('groups are made', () => {
  test('with version 2 below the own group, or beside it', () => {
    const mounts = 'proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n'
    const folders = hierarchies('0::/system.slice/loopai.service\n', mounts).map(each => each.folders.memory)
    expect(folders).toEqual(['/sys/fs/cgroup/system.slice/loopai.service', '/sys/fs/cgroup/system.slice'])
    expect(hierarchies('0::/\n', mounts)).toEqual([
      { version: 2, folders: { memory: '/sys/fs/cgroup/', pids: '/sys/fs/cgroup/', cpu: '/sys/fs/cgroup/' } },
    ])
  })

  test('with version 1 in a folder for each controller', () => {
    const mounts = ['memory', 'pids', 'cpu,cpuacct']
      .map(names => `cgroup /sys/fs/cgroup/${names} cgroup rw,relatime,${names} 0 0`)
      .join('\n')
    expect(hierarchies('4:memory:/docker/1\n3:pids:/\n2:cpu,cpuacct:/docker/1\n', mounts)).toEqual([
      {
        version: 1,
        folders: {
          memory: '/sys/fs/cgroup/memory/docker/1',
          pids: '/sys/fs/cgroup/pids/',
          cpu: '/sys/fs/cgroup/cpu,cpuacct/docker/1',
        },
      },
      {
        version: 1,
        folders: {
          memory: '/sys/fs/cgroup/memory/',
          pids: '/sys/fs/cgroup/pids/',
          cpu: '/sys/fs/cgroup/cpu,cpuacct/',
        },
      },
    ])
  })

  test('nowhere when a controller is missing', () => {
    expect(hierarchies('4:memory:/\n', 'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0')).toEqual([])
    expect(hierarchies('', '')).toEqual([])
  })
})

describe.skipIf(!trial)(`a group${trial ? '' : ' (cannot be made here)'}`, () => {
  test.each(['shared', 'request'] as const)(
    'ends a program that takes more memory than it may (%s)',
    async isolation => {
      // Less address space than the harness allows: only the group can notice.
      const code = 'def execute(value):\n    return len(bytearray(b"x") * (value << 20))'
      const pool = await openCode(code, { isolation, limits: { memory_mb: 32, timeout_ms: 10_000 } })
      expect(await pool.run(8)).toMatchObject({ kind: 'ok' })
      expect(await pool.run(200)).toMatchObject({
        kind: 'memory',
        message: expect.stringMatching(/more memory than it may/),
      })
      expect(await pool.run(8)).toMatchObject({ kind: 'ok' })
    },
  )

  test('bounds processes', async () => {
    const code = `
import os, time
def execute(value):
    count = 0
    try:
        while count < 100:
            if os.fork() == 0:
                time.sleep(0.5)
                os._exit(0)
            count += 1
    except OSError:
        pass
    return count`
    const pool = await openCode(code)
    const reply = await pool.run(1)
    expect('value' in reply && reply.value).toBeLessThan(32)
  })

  test('is gone when its worker is', async () => {
    const folders = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].filter(existsSync)
    const groups = () =>
      folders.flatMap(folder => readdirSync(folder)).filter(name => name.startsWith(`loopai-${process.pid}-`))
    const pool = await openFixture('echo.py')
    await pool.ready
    await pool.close()
    await expect.poll(groups, { timeout: 2000 }).toEqual([])
  })
})
