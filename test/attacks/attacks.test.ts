import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageFile } from '../../src/package.ts'
import { bundle } from '../helpers/bundle.ts'
import { nodeForOthers } from '../helpers/node.ts'
import { findTiers } from '../helpers/tiers.ts'
import { ATTACKS, BY_DESIGN_IN_SHARED } from './attacks.ts'
import type { Setting, Verdict } from './suite.ts'

const { works, missing } = await findTiers(['bubblewrap', 'landlock'])
const isRoot = process.getuid?.() === 0
// The attacks know the system call numbers of one architecture.
const isHere = process.arch === 'x64' && works.length > 0
const folder = packageFile('dist', 'attacks')
const NOBODY = 65534

describe.skipIf(!isHere)('attacks', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    await bundle(path.join(import.meta.dirname, 'suite.ts'), path.join(folder, 'suite.mjs'))
    for (const name of ['programs', 'preamble.py'])
      cpSync(path.join(import.meta.dirname, name), path.join(folder, name), { recursive: true })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('are 73 and some', () => {
    const numbers = ATTACKS.map(attack => attack.number)
    for (let number = 1; number <= 73; number++) expect(numbers).toContain(number)
  })

  describe.each(['root', 'an ordinary user'])('by %s', user => {
    const why = user === 'root' && !isRoot ? ' (this is not root)' : ''

    describe.each(['bubblewrap', 'landlock'] as const)('in %s', protection => {
      const reason = why || (missing.has(protection) ? ` (${missing.get(protection)})` : '')

      test.skipIf(reason)(`none gets through when each request is alone${reason}`, async () => {
        const verdicts = await runSuite({ protection, isolation: 'request' }, user)
        expect(breaches(verdicts)).toEqual([])
      })

      test.skipIf(reason)(
        `none gets through but those by design when a process is shared${reason}`,
        async () => {
          const verdicts = await runSuite({ protection, isolation: 'shared' }, user)
          expect(breaches(verdicts).filter(({ number }) => !BY_DESIGN_IN_SHARED.includes(number))).toEqual([])
          expect(breaches(verdicts).length).toBeGreaterThan(0)
        },
      )
    })
  })

  test.skipIf(missing.has('bubblewrap'))(
    'at least 20 get through a usual bwrap: they are alive',
    async () => {
      const verdicts = await runSuite({ protection: 'usual', isolation: 'shared' }, 'an ordinary user')
      expect(breaches(verdicts).length).toBeGreaterThanOrEqual(20)
    },
  )
})

function breaches(verdicts: Verdict[]): Verdict[] {
  expect(verdicts).toHaveLength(ATTACKS.length)
  return verdicts.filter(verdict => verdict.isBreach)
}

async function runSuite(setting: Setting, user: string): Promise<Verdict[]> {
  const demote = isRoot && user !== 'root' ? { uid: NOBODY, gid: NOBODY } : {}
  const { stdout } = await promisify(execFile)(
    nodeForOthers(),
    [path.join(folder, 'suite.mjs'), JSON.stringify(setting)],
    { ...demote, cwd: '/', maxBuffer: 2 ** 24, env: { PATH: '/usr/bin:/bin', TMPDIR: os.tmpdir() } },
  )
  return JSON.parse(stdout)
}
