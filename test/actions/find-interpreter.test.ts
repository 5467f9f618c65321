import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { chooseSandbox } from '../../src/actions/choose-sandbox.ts'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import python from '../../src/runtimes/python.ts'
import bubblewrap from '../../src/sandboxes/bubblewrap.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'

const { works } = await findTiers(['bubblewrap'])
const system = '/usr/bin/python3'
const shim = path.join(process.env.HOME ?? '/', '.pyenv/shims/python3')
const saved = { ...process.env }

beforeEach(() => {
  process.env.LOOPAI_CACHE_DIR = temporaryFolder()
})
afterEach(() => {
  for (const name of ['PATH', 'LOOPAI_PYTHON', 'LOOPAI_CACHE_DIR', 'LOOPAI_SANDBOX']) {
    if (saved[name] === undefined) delete process.env[name]
    else process.env[name] = saved[name]
  }
})

describe('an interpreter', () => {
  test.skipIf(!existsSync(system))('of the system is found on the PATH', async () => {
    process.env.PATH = '/nonexistent:/usr/bin'
    const found = await findInterpreter(python)
    expect(found.executable).toBe(realpathSync(system))
    expect(found.version).toMatch(/^3\.\d+\.\d+$/)
    expect(await answers()).toBe(true)
  })

  test.skipIf(!existsSync(shim))('behind a shim is found, not the shim', async () => {
    process.env.PATH = `${path.dirname(shim)}:/usr/bin:/bin`
    const found = await findInterpreter(python)
    expect(found.executable).toMatch(/\.pyenv\/versions\//)
    expect(found.mounts.map(mount => mount.source)).not.toContain(path.dirname(shim))
    expect(await answers()).toBe(true)
  })

  test.skipIf(!existsSync(system) || os.platform() !== 'linux')(
    'without ldd may get no sandbox, and the reason is told',
    async () => {
      const folder = temporaryFolder()
      symlinkSync(system, path.join(folder, 'python3'))
      process.env.PATH = folder
      process.env.LOOPAI_SANDBOX = 'bubblewrap'
      const found = await findInterpreter(python)
      await expect(chooseSandbox(python, found)).rejects.toMatchObject({
        code: 'NO_SANDBOX',
        message: expect.stringContaining('ldd is missing'),
        hint: expect.stringContaining('apt-get install libc-bin'),
      })
    },
  )

  test.skipIf(!existsSync(system))('behind a virtual environment is found', async () => {
    const environment = path.join(temporaryFolder(), 'environment')
    execFileSync(system, ['-m', 'venv', '--without-pip', environment])
    process.env.PATH = `${path.join(environment, 'bin')}:/usr/bin:/bin`
    expect((await findInterpreter(python)).executable).toBe(realpathSync(system))
    expect(await answers()).toBe(true)
  })

  test('that LOOPAI_PYTHON names goes before the PATH', async () => {
    process.env.LOOPAI_PYTHON = script('#!/bin/sh\nexit 3')
    expect(python.candidates(process.env)[0]).toBe(process.env.LOOPAI_PYTHON)
    const { PATH } = process.env
    process.env.PATH = ''
    await expect(findInterpreter(python)).rejects.toMatchObject({
      code: 'NO_PYTHON',
      message: expect.stringMatching(/status 3/),
    })
    process.env.PATH = PATH
    // The next one does.
    expect((await findInterpreter(python)).version).toMatch(/^3/)
  })

  test.each([
    ['{"executable":"/x","version":[3,8,1],"ctypes":true,"mounts":[]}', /it is Python 3\.8\.1/],
    ['{"executable":"/x","version":[3,11,1],"ctypes":false,"mounts":[]}', /ctypes/],
    ['hello', /JSON/],
  ])('that says %s will not do', async (printed, reason) => {
    process.env.LOOPAI_PYTHON = script(`#!/bin/sh\necho '${printed}'`)
    process.env.PATH = ''
    await expect(findInterpreter(python)).rejects.toThrow(reason)
  })

  test('is asked once', async () => {
    const log = path.join(temporaryFolder(), 'log')
    const real = (await findInterpreter(python)).executable
    process.env.LOOPAI_PYTHON = script(`#!/bin/sh\necho asked >> '${log}'\nexec '${real}' "$@"`)
    const first = await findInterpreter(python)
    expect(await findInterpreter(python)).toEqual(first)
    expect(execFileSync('cat', [log], { encoding: 'utf8' })).toBe('asked\n')
  })
})

function script(text: string): string {
  const file = path.join(temporaryFolder(), 'python3')
  writeFileSync(file, text, { mode: 0o755 })
  return file
}

/** Whether a program runs on it in the sandbox that hides most. */
async function answers(): Promise<boolean> {
  const interpreter = await findInterpreter(python)
  const directory = path.join(temporaryFolder(), 'program')
  mkdirSync(directory)
  writeFileSync(
    path.join(directory, 'program.py'),
    'import sqlite3, ssl, zlib, bz2, lzma, decimal\ndef execute(value): return value',
  )
  const launch = python.launch(interpreter, {
    directory,
    inside: '/loopai-data/loop-apps/fixture-001/artifacts/v1',
    entry: 'program.py',
    limits: DEFAULT_LIMITS,
    isolation: 'shared',
  })
  const launches = works.length > 0 ? [bubblewrap.confine(launch), launch] : [launch]
  for (const each of launches) {
    const pool = createPool({ launch: each, limits: DEFAULT_LIMITS })
    onTestFinished(() => pool.close())
    expect(await pool.run(1)).toMatchObject({ kind: 'ok', value: 1 })
  }
  return true
}
