import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { openProgram, placeOf } from '../../src/actions/open-program.ts'
import python from '../../src/runtimes/python.ts'
import { readApp } from '../../src/store/apps.ts'
import { openDataDirectory } from '../../src/store/root.ts'
import { readVersion } from '../../src/store/versions.ts'
import { createApp } from '../helpers/app.ts'
import { findTiers } from '../helpers/tiers.ts'

/** The packages themselves, where they can be had: native code, its own libraries, and threads that it would like to have. */
const PROGRAM = `
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
random = np.random.RandomState(0)
points = random.rand(200, 2)
labels = (points[:, 0] > points[:, 1]).astype(int)
models = [LogisticRegression().fit(points, labels), HistGradientBoostingClassifier(max_iter=5).fit(points, labels)]
square = random.rand(300, 300)
np.linalg.svd(square @ square)
def execute(value):
    first, second = [int(model.predict(np.asarray([value["x"]]))[0]) for model in models]
    return first if first == second else -1
`
const ROWS = [
  { input: { x: [0.1, 0.9] }, output: 0 },
  { input: { x: [0.9, 0.1] }, output: 1 },
]
const SYSTEM = '/usr/bin/python3'
const saved = { ...process.env }
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-packages-'))
const wheels = path.join(folder, 'wheels')
// Some 200 MB, and minutes on a slow machine: only when they are asked for.
const isAsked = process.env.LOOPAI_TEST_WHEELS === '1'
const [isFetched, { works }] = await Promise.all([
  isAsked && fetchWheels(),
  findTiers(['bubblewrap', 'landlock']),
])
const hasSystem = existsSync(SYSTEM) && hasModule(SYSTEM, 'sklearn')

beforeAll(() => {
  process.env.LOOPAI_CACHE_DIR = path.join(folder, 'cache')
  process.env.LOOPAI_CONFIG_DIR = path.join(folder, 'config')
})

afterAll(() => {
  process.env = saved
  rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(!isFetched)(
  `wheels of scikit-learn${isFetched ? '' : isAsked ? ' (they cannot be fetched here)' : ' (with LOOPAI_TEST_WHEELS=1)'}`,
  () => {
    test.each(works)(
      'run in %s',
      async tier => {
        Object.assign(process.env, {
          LOOPAI_SANDBOX: tier,
          LOOPAI_INSTALLER: 'pip',
          PIP_NO_INDEX: '1',
          PIP_FIND_LINKS: pathToFileURL(wheels).href,
        })
        expect(await answers('scikit-learn\n')).toEqual([0, 1])
      },
      240_000,
    )
  },
)

describe.skipIf(!hasSystem)(`scikit-learn of the system${hasSystem ? '' : ' (there is none)'}`, () => {
  test.each(works)(
    'runs in %s',
    async tier => {
      Object.assign(process.env, { LOOPAI_SANDBOX: tier, LOOPAI_PYTHON: SYSTEM })
      expect(await answers('numpy\nscikit-learn>=1\n', 'packages: system')).toEqual([0, 1])
      await expect(answers('numpy>=99\n', 'packages: system')).rejects.toMatchObject({
        code: 'PACKAGES_FAILED',
        message: expect.stringMatching(/does not have numpy>=99 \(installed is [\d.]+\)/),
      })
    },
    120_000,
  )
})

async function answers(requirements: string, settings = ''): Promise<unknown[]> {
  const { id, workspace, put } = await createApp(ROWS, {
    settings: `targets: {latency_ms: 1000}\n${settings}`,
  })
  put('draft/program.py', PROGRAM)
  put('draft/requirements.txt', requirements)
  await add(workspace, { app: id })
  const app = await readApp(await openDataDirectory(workspace), id)
  const version = await readVersion(app, 1)
  const program = await openProgram(placeOf(app, version), version.manifest)
  try {
    const outcomes = await program.answerMany(ROWS.map(row => row.input))
    return outcomes.map(outcome => outcome.status === 'success' && outcome.output)
  } finally {
    await program.close()
  }
}

/** With whatever index this machine knows. */
async function fetchWheels(): Promise<boolean> {
  const { executable } = await findInterpreter(python)
  mkdirSync(wheels, { recursive: true })
  const args = [
    '-I',
    '-m',
    'pip',
    'download',
    '--quiet',
    '--only-binary',
    ':all:',
    '--dest',
    wheels,
    'scikit-learn',
  ]
  return promisify(execFile)(executable, args, { timeout: 120_000 }).then(
    () => true,
    () => false,
  )
}

function hasModule(interpreter: string, name: string): boolean {
  try {
    execFileSync(interpreter, ['-I', '-c', `import ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
