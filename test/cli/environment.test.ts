import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { misbehaving } from '../helpers/apps.ts'
import { loopai, succeed, traces } from '../helpers/cli.ts'
import { canMount, makeReadOnly, makeWritable, mountedFolder } from '../helpers/mounts.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

const APP = 'misbehave-001'
const copy = misbehaving()

/** The interpreter itself: a shim of a version manager would need half of the machine. */
const LOOPAI_PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim()

/** A PATH with nothing on it but these programs, as far as the machine has them. */
function pathWith(...programs: string[]): string {
  const folder = temporaryFolder()
  const places = process.env.PATH!.split(path.delimiter)
  for (const program of programs) {
    const found = places.map(place => path.join(place, program)).find(file => existsSync(file))
    if (found) symlinkSync(found, path.join(folder, program))
  }
  return folder
}

const NOBODY = {
  GIT_AUTHOR_NAME: undefined,
  GIT_AUTHOR_EMAIL: undefined,
  GIT_COMMITTER_NAME: undefined,
  GIT_COMMITTER_EMAIL: undefined,
  // Without this, some machines let git make up an identity from the host's name.
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'user.useConfigOnly',
  GIT_CONFIG_VALUE_0: 'true',
}

describe('on a machine', () => {
  test('without Python, executing is refused with what to install, and the rest works', async () => {
    const folder = await copy()
    const env = { PATH: pathWith('git'), LOOPAI_CACHE_DIR: temporaryFolder() }
    const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '"a"'], { env })
    expect([status, stdout]).toEqual([8, ''])
    expect(stderr).toContain('No Python 3.9 or newer was found')
    expect(stderr).toContain('LOOPAI_PYTHON=')
    expect((await loopai(folder, ['list', '-q'], { env })).stdout).toBe(`${APP}\n`)
  })

  test('without a sandbox, executing is refused unless it is asked for, loudly', async () => {
    const folder = await copy()
    const PATH = pathWith('git')
    const env = { PATH, LOOPAI_PYTHON, LOOPAI_SANDBOX: 'bubblewrap', LOOPAI_CACHE_DIR: temporaryFolder() }
    const { status, stdout, stderr } = await loopai(folder, ['exec', APP, '"a"', '--json'], { env })
    expect([status, stdout]).toEqual([8, ''])
    const { error } = JSON.parse(stderr)
    expect(error).toMatchObject({
      code: 'NO_SANDBOX',
      message: expect.stringContaining('bwrap is not installed'),
    })
    expect(error.hint).toContain('apt-get install bubblewrap')
    const bare = await loopai(folder, ['exec', APP, '"a"', '--unsandboxed'], { env })
    expect([bare.status, bare.stdout]).toEqual([0, '"a"\n'])
    expect(bare.stderr).toMatch(/^WARNING: /)
  })

  test('with a sandbox that does not exist is a matter of usage', async () => {
    const folder = await copy()
    const { status, stderr } = await loopai(folder, ['exec', APP, '"a"'], { env: { LOOPAI_SANDBOX: 'moat' } })
    expect([status, stderr]).toEqual([2, expect.stringContaining('LOOPAI_SANDBOX is one of')])
  })

  test('without git, programs run, and writing says at once what is missing and leaves nothing', async () => {
    const folder = await copy()
    const env = { PATH: pathWith('bwrap', 'ldd'), LOOPAI_PYTHON }
    expect((await loopai(folder, ['exec', APP, '"a"'], { env })).stdout).toBe('"a"\n')
    const since = Date.now()
    const { status, stderr } = await loopai(folder, ['create', 'a-001', '--template', 'blank'], { env })
    expect([status, stderr]).toEqual([8, expect.stringContaining('git is not installed')])
    expect(Date.now() - since).toBeLessThan(20_000)
    expect(runGit(path.join(folder, 'loopai-data'), 'status', '--porcelain')).toBe('')
    const empty = temporaryFolder()
    expect((await loopai(empty, ['create', 'a-001', '--template', 'blank'], { env })).status).toBe(8)
    expect(readdirSync(empty)).toEqual([])
  })

  test('without a git identity, the two lines that set it are the hint, and nothing is left', async () => {
    const folder = temporaryFolder()
    const { status, stderr } = await loopai(folder, ['create', 'spam-detector-001'], { env: NOBODY })
    expect(status).toBe(8)
    expect(stderr).toContain('git config --global user.name "Your Name"')
    expect(stderr).toContain('git config --global user.email you@example.com')
    expect(readdirSync(folder)).toEqual([])
  })

  test('of CI without an identity, commits are by loopai, which is said', async () => {
    const folder = temporaryFolder()
    const env = { ...NOBODY, CI: 'true', CI_JOB_URL: 'https://ci.example/1' }
    const { status, stderr } = await loopai(folder, ['create', 'a-001', '--template', 'blank'], { env })
    expect([status, stderr]).toEqual([0, expect.stringContaining('committing as loopai <loopai@ci.invalid>')])
    expect(runGit(path.join(folder, 'loopai-data'), 'log', '-1', '--format=%an <%ae>')).toBe(
      'loopai <loopai@ci.invalid>',
    )
  })
})

describe.skipIf(!canMount)('on a file system', () => {
  test('that is read-only, programs run unrecorded, and writing is refused by name', async () => {
    const folder = mountedFolder('16m')
    execFileSync('cp', ['-a', `${await copy()}/.`, folder])
    const before = traces(path.join(folder, 'loopai-data'))
    makeReadOnly(folder)
    const run = await loopai(folder, ['exec', APP, '"a"'])
    expect([run.status, run.stdout]).toEqual([0, '"a"\n'])
    expect(run.stderr).toMatch(/^not recorded: cannot write /)
    const refusals = [
      ['create', 'a-001', '--template', 'blank'],
      ['add', APP, '--from', `${APP}@v1`],
      ['init', 'other'],
    ]
    for (const args of refusals) {
      const { status, stdout, stderr } = await loopai(folder, args)
      expect([args[0], status, stdout]).toEqual([args[0], 8, ''])
      expect(stderr).toContain('cannot write ')
      expect(stderr).toContain('hint: ')
    }
    makeWritable(folder)
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
  })

  test('that is full, answers come unrecorded, writing is refused, and afterwards all is as it was', async () => {
    const folder = mountedFolder('16m')
    execFileSync('cp', ['-a', `${await copy()}/.`, folder])
    const data = path.join(folder, 'loopai-data')
    await succeed(folder, ['exec', APP, '"a"'])
    const before = traces(data)
    fill(folder)
    const run = await loopai(folder, ['exec', APP, JSON.stringify('a'.repeat(100_000))])
    expect([run.status, run.stdout.length]).toEqual([0, 100_003])
    expect(run.stderr).toMatch(/^not recorded: /)
    for (const args of [
      ['create', 'spam-detector-001'],
      ['init', 'other'],
    ]) {
      const { status, stdout, stderr } = await loopai(folder, args)
      expect([args[0], status, stdout]).toEqual([args[0], 8, ''])
      expect(stderr).toContain('no space left for ')
      expect(stderr).toContain('hint: free some space')
    }
    execFileSync('rm', [path.join(folder, 'fill')])
    expect(traces(data)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['loopai-data'])
    await succeed(folder, ['create', 'spam-detector-001'])
  })
})

function fill(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(path.join(folder, 'fill'), Buffer.alloc(bavail * bsize))
}
