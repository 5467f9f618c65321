import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  type Architecture,
  bothStages,
  PID_SLOT,
  SYSTEM_CALLS,
  stage1,
  stage2,
} from '../../src/sandboxes/seccomp.ts'

const HEADERS: Record<Architecture, string[]> = {
  x64: ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h'],
  arm64: ['/usr/include/asm-generic/unistd.h', '/usr/include/aarch64-linux-gnu/asm/unistd.h'],
}

const FILTERS = (['x64', 'arm64'] as const).flatMap(architecture => [
  [`stage 1, ${architecture}`, architecture, stage1(architecture)] as const,
  [`stage 2, ${architecture}`, architecture, stage2(architecture, { threads: true })] as const,
  [
    `stage 2 without threads, ${architecture}`,
    architecture,
    stage2(architecture, { threads: false }),
  ] as const,
])

const [ALLOW, KILL, EPERM, ENOSYS] = [0x7fff0000, 0x80000000, 0x50001, 0x50026]
const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 }

describe.each(['x64', 'arm64'] as const)('the numbers of %s', architecture => {
  const header = HEADERS[architecture].find(existsSync)

  test.skipIf(!header)('are those of the kernel headers', () => {
    const known = readNumbers(readFileSync(header!, 'utf8'))
    const column = architecture === 'x64' ? 0 : 1
    const wrong = Object.entries(SYSTEM_CALLS)
      .map(([name, numbers]) => [name, numbers[column], known.get(name)] as const)
      // Headers may be older than the table. A call that a machine lacks has no number.
      .filter(([, ours, theirs]) =>
        theirs === undefined ? ours !== null && ours < 425 && architecture === 'x64' : ours !== theirs,
      )
    expect(wrong).toEqual([])
    expect(known.size).toBeGreaterThan(250)
  })
})

describe.each(FILTERS)('%s', (_, architecture, filter) => {
  const call = (name: string, ...args: number[]) =>
    run(filter, AUDIT[architecture], numberOf(name, architecture), args)

  test('consists of whole instructions that jump forward and end', () => {
    expect(filter.length % 8).toBe(0)
    expect(filter.length / 8).toBeLessThan(200)
    for (let at = 0; at < filter.length / 8; at++) {
      const code = filter.readUInt16LE(at * 8)
      const targets = [filter[at * 8 + 2]!, filter[at * 8 + 3]!].map(jump => at + 1 + jump)
      if (code !== 0x06) for (const target of targets) expect(target).toBeLessThan(filter.length / 8)
    }
  })

  test('kills what calls by the numbers of another architecture', () => {
    expect(run(filter, 0x40000003, 20, [])).toBe(KILL)
  })

  test('lets a program compute', () => {
    for (const number of architecture === 'x64'
      ? [0, 1, 3, 9, 11, 12, 202, 228]
      : [63, 64, 57, 222, 215, 214, 98, 113])
      expect(run(filter, AUDIT[architecture], number, [1, 2, 3])).toBe(ALLOW)
    expect(call('prctl', 38)).toBe(ALLOW)
  })
})

describe.each(['x64', 'arm64'] as const)('stage 1 on %s', architecture => {
  const filter = stage1(architecture)
  const call = (name: string, ...args: number[]) =>
    run(filter, AUDIT[architecture], numberOf(name, architecture), args)

  test.each([
    'ptrace',
    'mount',
    'unshare',
    'bpf',
    'io_uring_setup',
    'keyctl',
    'socket',
    'connect',
    'memfd_create',
    'semctl',
    'msgctl',
    'msgrcv',
    'mq_unlink',
    'fchmodat',
    'fchownat',
    'utimensat',
    'setxattr',
    'truncate',
  ])('refuses %s', name => expect(call(name)).toBe(EPERM))

  test('looks at arguments', () => {
    expect(call('clone', 17)).toBe(ALLOW)
    for (const flag of [0x10000000, 0x20000, 0x40000000, 0x80]) expect(call('clone', flag | 17)).toBe(EPERM)
    expect(call('clone3')).toBe(ENOSYS)
    expect(call('socketpair', 1)).toBe(ALLOW)
    expect(call('socketpair', 2)).toBe(EPERM)
    expect(call('ioctl', 1, 0x5412)).toBe(EPERM)
    expect(call('ioctl', 1, 0x5401)).toBe(ALLOW)
    expect(call('personality', 0xffffffff)).toBe(ALLOW)
    expect(call('personality', 0x400000)).toBe(EPERM)
  })

  test('lets no file be emptied where nothing else is in the way of it', () => {
    const strict = stage1(architecture, { readOnly: true })
    const open = (name: string, ...args: number[]) =>
      run(strict, AUDIT[architecture], numberOf(name, architecture), args)
    expect(open('openat', 0, 0, 0)).toBe(ALLOW)
    expect(open('openat', 0, 0, 0o1000)).toBe(EPERM)
    expect(open('openat', 0, 0, 0o3000000)).toBe(ALLOW)
    expect(open('openat2')).toBe(ENOSYS)
    if (architecture === 'x64') expect(open('open', 0, 0o1001)).toBe(EPERM)
    expect(call('openat', 0, 0, 0o1000)).toBe(ALLOW)
  })

  test('does not know calls that are newer than the table', () => {
    expect(run(filter, AUDIT[architecture], 600, [])).toBe(ENOSYS)
    expect(run(filter, AUDIT[architecture], 0x40000000, [])).toBe(ENOSYS)
  })
})

describe.each(['x64', 'arm64'] as const)('stage 2 on %s', architecture => {
  const filter = stage2(architecture, { threads: true })
  const call = (name: string, ...args: number[]) =>
    run(filter, AUDIT[architecture], numberOf(name, architecture), args)

  test('lets threads be made and nothing else', () => {
    expect(call('clone', 0x3d0f00)).toBe(ALLOW)
    expect(call('clone', 17)).toBe(EPERM)
    expect(
      run(
        stage2(architecture, { threads: false }),
        AUDIT[architecture],
        numberOf('clone', architecture),
        [0x3d0f00],
      ),
    ).toBe(EPERM)
    expect(call('execve')).toBe(EPERM)
  })

  test('lets nobody change the channel for those who have it next', () => {
    expect(call('setsockopt')).toBe(EPERM)
    expect(call('shutdown')).toBe(EPERM)
  })

  test('lets a process signal and limit itself only', () => {
    expect(call('kill', PID_SLOT)).toBe(ALLOW)
    for (const other of [0, 1, 0xffffffff]) expect(call('kill', other)).toBe(EPERM)
    expect(call('prlimit64', 0)).toBe(ALLOW)
    expect(call('prlimit64', 1)).toBe(EPERM)
    expect(call('prctl', 1)).toBe(EPERM)
    expect(call('fcntl', 3, 8)).toBe(EPERM)
    for (const look of [5, 36, 37, 1024]) expect(call('fcntl', 3, look)).toBe(EPERM)
    expect(call('fcntl', 3, 3)).toBe(ALLOW)
  })
})

describe.each(['x64', 'arm64'] as const)('both stages on %s', architecture => {
  const filter = bothStages(architecture, 1)
  const call = (name: string, ...args: number[]) =>
    run(filter, AUDIT[architecture], numberOf(name, architecture), args)

  test('refuse what either of them refuses', () => {
    for (const name of ['ptrace', 'socket', 'unshare', 'tkill', 'setsid', 'flock'])
      expect(call(name)).toBe(EPERM)
    expect(call('clone', 17)).toBe(EPERM)
    expect(call('clone', 0x10000 | 0x10000000)).toBe(EPERM)
    expect(call('clone', 0x3d0f00)).toBe(ALLOW)
    expect(call('clone3')).toBe(ENOSYS)
    expect(call('ioctl', 0, 0x5412)).toBe(EPERM)
    expect(call('ioctl', 0, 0x8901)).toBe(EPERM)
    expect(call('kill', 1)).toBe(ALLOW)
    expect(call('kill', 2)).toBe(EPERM)
    expect(call('personality', 0)).toBe(ALLOW)
    expect(call('execve')).toBe(ALLOW)
    expect(run(filter, AUDIT[architecture], 600, [])).toBe(ENOSYS)
  })
})

/** What the kernel's interpreter would return. */
function run(filter: Buffer, audit: number, number: number, args: number[]): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(audit, 4)
  args.forEach((value, index) => {
    data.writeUInt32LE(value >>> 0, 16 + 8 * index)
    // The high half must not matter to a comparison of 32 bits.
    data.writeUInt32LE(7, 20 + 8 * index)
  })
  let accumulator = 0
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(at * 8)
    const value = filter.readUInt32LE(at * 8 + 4)
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x06) return value
    else {
      const isTrue =
        code === 0x15
          ? accumulator === value
          : code === 0x25
            ? accumulator > value
            : code === 0x45
              ? (accumulator & value) !== 0
              : undefined
      if (isTrue === undefined) throw new Error(`instruction ${code}`)
      at += filter[at * 8 + (isTrue ? 2 : 3)]!
    }
  }
  throw new Error('it ran out of its end')
}

function numberOf(name: string, architecture: Architecture): number {
  return SYSTEM_CALLS[name]![architecture === 'x64' ? 0 : 1]!
}

function readNumbers(header: string): Map<string, number> {
  const numbers = new Map<string, number>()
  for (const [, name, number] of header.matchAll(/#define __NR(?:3264)?_(\w+)\s+(\d+)/g))
    numbers.set(name!, Number(number))
  return numbers
}
