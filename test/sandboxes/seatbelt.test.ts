import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, type Launch } from '../../src/domain/launch.ts'
import seatbelt, { profile } from '../../src/sandboxes/seatbelt.ts'

const launch: Launch = {
  command: '/opt/python/bin/python3.12',
  args: ['-s', '/package/runner.py'],
  env: {},
  mounts: [
    { source: '/opt/python', target: '/opt/python' },
    { source: '/package/runner.py', target: '/loopai/runner.py' },
    { source: '/Users/ada/data "x"/v1', target: '/loopai-data/loop-apps/a-001/artifacts/v1' },
  ],
  runner: { program: '/Users/ada/data "x"/v1/program.py', limits: DEFAULT_LIMITS, isolation: 'request' },
}

describe('the profile', () => {
  const lines = profile(launch).split('\n')

  test('denies by default, and last what must hold', () => {
    expect(lines.slice(0, 2)).toEqual(['(version 1)', '(deny default)'])
    expect(lines.slice(-4)).toEqual([
      '(deny process-fork)',
      '(deny network*)',
      '(deny mach-lookup)',
      '(deny file-write-create file-write-unlink file-write-mode)',
    ])
  })

  test('starts the interpreter and nothing else', () => {
    expect(lines.filter(line => line.includes('process-exec'))).toEqual([
      '(allow process-exec (literal "/opt/python/bin/python3.12"))',
    ])
  })

  test('reads what the launch names, and sees the folders on the way', () => {
    const [reading] = lines.filter(line => line.startsWith('(allow file-read* (subpath'))
    expect(reading).toContain(
      '(subpath "/opt/python") (subpath "/package/runner.py") (subpath "/Users/ada/data \\"x\\"/v1")',
    )
    expect(reading).not.toContain('"/Users"')
    const [seeing] = lines.filter(line => line.startsWith('(allow file-read-metadata'))
    expect(seeing).toContain(
      '(literal "/") (literal "/Users") (literal "/Users/ada") (literal "/Users/ada/data \\"x\\"")',
    )
  })

  test('has as many closing as opening brackets', () => {
    const outside = profile(launch).replace(/"(\\.|[^"\\])*"/g, '')
    expect(outside.split('(').length).toBe(outside.split(')').length)
  })

  test('a path cannot add a rule', () => {
    const evil = { ...launch, mounts: [{ source: '/a") (allow default) ("', target: '/b' }] }
    expect(profile(evil).replace(/"(\\.|[^"\\])*"/g, '')).not.toContain('allow default')
  })
})

test('a confined process forks nothing, and with request isolation answers once', () => {
  const confined = seatbelt.confine(launch)
  expect(confined).toMatchObject({
    command: '/usr/bin/sandbox-exec',
    singleUse: true,
    runner: { isolation: 'shared', alone: true, program: launch.runner.program },
  })
  expect(confined.args.slice(0, 1)).toEqual(['-p'])
  expect(confined.args.slice(2)).toEqual([launch.command, ...launch.args])
  const shared = seatbelt.confine({ ...launch, runner: { ...launch.runner, isolation: 'shared' } })
  expect(shared.singleUse).toBe(false)
})
