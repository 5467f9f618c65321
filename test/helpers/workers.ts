import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS, type Isolation, type Launch, type Limits } from '../../src/domain/launch.ts'
import { runtimes } from '../../src/runtimes/index.ts'
import { sandboxes } from '../../src/sandboxes/index.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'
import { createPool, type Pool, type PoolOptions } from '../../src/workers/pool.ts'
import { temporaryFolder } from './repository.ts'

export interface Setting extends Partial<Omit<PoolOptions, 'launch' | 'limits'>> {
  sandbox?: SandboxName
  isolation?: Isolation
  limits?: Partial<Limits>
}

export const FIXTURES = path.resolve(import.meta.dirname, '../fixtures/programs')

/** A pool that runs a fixture such as `echo.py`, and is closed when the test is over. */
export async function openFixture(name: string, setting: Setting = {}): Promise<Pool> {
  const directory = path.join(temporaryFolder(), 'program')
  mkdirSync(directory)
  copyFileSync(path.join(FIXTURES, name), path.join(directory, name))
  return openDirectory(directory, name, setting)
}

/** The same for a program that is written in the test. */
export async function openCode(code: string, setting: Setting = {}): Promise<Pool> {
  const directory = path.join(temporaryFolder(), 'program')
  mkdirSync(directory)
  writeFileSync(path.join(directory, 'program.py'), code)
  return openDirectory(directory, 'program.py', setting)
}

async function openDirectory(directory: string, entry: string, setting: Setting): Promise<Pool> {
  const { sandbox, isolation, limits, ...options } = setting
  const all = { ...DEFAULT_LIMITS, ...limits }
  const launch = await launchOf(directory, entry, { limits: all, sandbox, isolation })
  const pool = createPool({ ...options, launch, limits: all })
  onTestFinished(() => pool.close())
  return pool
}

export async function launchOf(
  directory: string,
  entry: string,
  {
    limits = DEFAULT_LIMITS,
    sandbox = 'none',
    isolation = 'shared',
  }: { limits?: Limits; sandbox?: SandboxName; isolation?: Isolation },
): Promise<Launch> {
  const runtime = (await runtimes.python()).default
  const interpreter = await findInterpreter(runtime)
  const inside = '/loopai-data/loop-apps/fixture-001/artifacts/v1'
  const launch = runtime.launch(interpreter, { directory, inside, entry, limits, isolation })
  return (await sandboxes[sandbox]()).default.confine(launch)
}
