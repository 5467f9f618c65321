import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, type Launch } from '../../src/domain/launch.ts'
import bubblewrap from '../../src/sandboxes/bubblewrap.ts'
import landlock from '../../src/sandboxes/landlock.ts'
import none from '../../src/sandboxes/none.ts'
import { findArchitecture } from '../../src/sandboxes/seccomp.ts'

const launch: Launch = {
  command: '/opt/python/bin/python3',
  args: ['-s', '/package/runner.py'],
  env: { LANG: 'C.UTF-8' },
  mounts: [
    { source: '/opt/python', target: '/opt/python' },
    { source: '/package/runner.py', target: '/loopai/runner.py' },
    { source: '/data/loop-apps/a b/artifacts/v1', target: '/loopai-data/loop-apps/a b/artifacts/v1' },
  ],
  runner: {
    program: '/data/loop-apps/a b/artifacts/v1/program.py',
    limits: DEFAULT_LIMITS,
    isolation: 'shared',
  },
  takesFilter: true,
}

test('no sandbox changes nothing', () => {
  expect(none.confine(launch)).toBe(launch)
})

describe.skipIf(bubblewrap.obstacle())('bubblewrap', () => {
  const confined = bubblewrap.confine(launch)

  test('says in arguments what the process may see', () => {
    const { args } = confined
    expect(args.slice(args.indexOf('--cap-drop'))).toMatchInlineSnapshot(`
      [
        "--cap-drop",
        "ALL",
        "--hostname",
        "sandbox",
        "--ro-bind",
        "/opt/python",
        "/opt/python",
        "--ro-bind",
        "/package/runner.py",
        "/loopai/runner.py",
        "--ro-bind",
        "/data/loop-apps/a b/artifacts/v1",
        "/loopai-data/loop-apps/a b/artifacts/v1",
        "--dir",
        "/dev",
        "--dev-bind",
        "/dev/null",
        "/dev/null",
        "--dev-bind",
        "/dev/urandom",
        "/dev/urandom",
        "--chdir",
        "/loopai-data/loop-apps/a b/artifacts/v1",
        "--remount-ro",
        "/",
        "--seccomp",
        "4",
        "--",
        "/opt/python/bin/python3",
        "-s",
        "/loopai/runner.py",
      ]
    `)
    expect(confined.command).toMatch(/\/bwrap$/)
    expect(confined.env).toEqual(launch.env)
  })

  test('tells the harness the paths inside', () => {
    expect(confined.runner.program).toBe('/loopai-data/loop-apps/a b/artifacts/v1/program.py')
    expect(confined.runner.stage2).toMatch(/^[A-Za-z0-9+/=]+$/)
    expect(confined.filter?.length).toBeGreaterThan(500)
  })

  test('takes both filters at once for a harness that can take none', () => {
    const alone = bubblewrap.confine({ ...launch, takesFilter: false })
    expect(alone.runner.stage2).toBeUndefined()
    expect(alone.filter!.length).toBeGreaterThan(confined.filter!.length)
  })

  test('keeps whatever has namespaces, and leaves the launch as it was', () => {
    for (const space of ['user', 'pid', 'ipc', 'uts', 'net'])
      expect(confined.args).toContain(`--unshare-${space}`)
    expect(confined.args).toContain('--as-pid-1')
    expect(confined.args).toContain('--die-with-parent')
    expect(bubblewrap.confine(launch)).toEqual(confined)
    expect(launch.runner).not.toHaveProperty('stage2')
  })

  test('a path that looks like an option stays an argument of one', () => {
    const odd = { source: '/data/--unshare-all\n', target: '/loopai-data/--dev' }
    const { args } = bubblewrap.confine({ ...launch, mounts: [...launch.mounts, odd] })
    expect(args.slice(args.indexOf(odd.source) - 1, args.indexOf(odd.source) + 2)).toEqual([
      '--ro-bind',
      odd.source,
      odd.target,
    ])
  })

  test.each([
    ['bwrap: setting up uid map: Permission denied', /AppArmor profile/],
    ['bwrap: Creating new namespace failed: Operation not permitted', /does not let users make namespaces/],
    ['bwrap: No space left on device', /max_user_namespaces/],
    ['something else', /^something else$/],
  ])('explains "%s"', (message, explanation) => expect(bubblewrap.explain(message)).toMatch(explanation))
})

describe.skipIf(!findArchitecture())('landlock', () => {
  test('keeps the paths, and tells the harness what stays readable', () => {
    const { runner, filter, ...rest } = landlock.confine(launch)
    const { runner: before, ...same } = launch
    expect(rest).toEqual(same)
    expect(filter).toBeUndefined()
    expect(runner).toMatchObject(before)
    expect(runner.readable).toEqual([
      ...launch.mounts.map(mount => mount.source),
      '/dev/null',
      '/dev/urandom',
    ])
    expect(runner.threads).toBeUndefined()
  })

  test('has a Python become what cannot restrict itself, and nothing else be executed', () => {
    const alone = { ...launch, takesFilter: false }
    if (landlock.obstacle(alone)) return
    const { command, args, filter, env } = landlock.confine(alone)
    expect(command).toMatch(/\/python3[^/]*$/)
    const at = args.findIndex(argument => argument.endsWith('runner.py'))
    expect(args.slice(at + 2)).toEqual([launch.command, ...launch.args])
    const { readable, executable } = JSON.parse(args[at + 1]!)
    for (const place of executable) expect(readable).toContain(place)
    expect(
      executable.filter((place: string) => place !== launch.command && !/\/ld[^/]*$/.test(place)),
    ).toEqual([])
    expect(filter).toBeUndefined()
    expect(env).toEqual(launch.env)
  })
})
