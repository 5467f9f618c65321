import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { launchOf, openCode, openFixture } from '../helpers/workers.ts'

const TIERS: SandboxName[] = ['bubblewrap', 'landlock', 'none']
const { missing } = await findTiers(['bubblewrap', 'landlock'])

describe.each(TIERS)('in %s', sandbox => {
  const reason = missing.get(sandbox)

  describe.each(['shared', 'request'] as const)('with %s isolation', isolation => {
    test.skipIf(reason)(`a program answers${reason ? ` (${reason})` : ''}`, async () => {
      const pool = await openFixture('echo.py', { sandbox, isolation })
      expect(await pool.ready).toBeUndefined()
      expect(await pool.run({ a: ['ü'] })).toMatchObject({ kind: 'ok', value: { a: ['ü'] } })
      expect(await pool.runMany([1, 'two', null])).toMatchObject([
        { value: 1 },
        { value: 'two' },
        { value: null },
      ])
    })

    test.skipIf(reason)('a program reads the files beside it and the standard library', async () => {
      const directory = path.join(temporaryFolder(), 'program')
      mkdirSync(directory)
      writeFileSync(path.join(directory, 'model.json'), '{"weight": 3}')
      const code = `
import json
from pathlib import Path
import array, base64, bisect, collections, csv, dataclasses, datetime, decimal, difflib, email.parser, enum, fractions, functools
import hashlib, hmac, html.parser, itertools, math, random, re, sqlite3, statistics, string, struct, textwrap, unicodedata, uuid, zlib
import urllib.parse, xml.etree.ElementTree, zoneinfo

MODEL = json.loads((Path(__file__).parent / 'model.json').read_text())

@dataclasses.dataclass
class Answer:
    weight: int

def execute(value):
    rows = sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()
    digest = hashlib.sha256(b'x').hexdigest()[:4]
    return {'weight': Answer(MODEL['weight']).weight, 'rows': list(rows), 'digest': digest, 'uuid': len(str(uuid.uuid4()))}
`
      writeFileSync(path.join(directory, 'program.py'), code)
      const launch = await launchOf(directory, 'program.py', { sandbox, isolation })
      const pool = createPool({ launch, limits: DEFAULT_LIMITS })
      onTestFinished(() => pool.close())
      expect(await pool.run(1)).toMatchObject({
        kind: 'ok',
        value: { weight: 3, rows: [2], digest: '2d71', uuid: 36 },
      })
    })

    test.skipIf(reason)('a program sees of the environment what the launch says', async () => {
      process.env.LOOPAI_TEST_SECRET = 'hunter2'
      onTestFinished(() => {
        delete process.env.LOOPAI_TEST_SECRET
      })
      const pool = await openFixture('misbehave.py', { sandbox, isolation })
      const reply = await pool.run('environment')
      const allowed = [
        'HOME',
        'LANG',
        'LC_CTYPE',
        'OPENBLAS_NUM_THREADS',
        'PATH',
        'PWD',
        'PYTHONHASHSEED',
        'TZ',
      ]
      expect('value' in reply && (reply.value as string[]).filter(name => !allowed.includes(name))).toEqual(
        [],
      )
    })

    test.skipIf(reason)('what fails by design says so', async () => {
      if (sandbox === 'none') return
      const code = `
import socket, subprocess, tempfile
def execute(what):
    if what == 'network': socket.create_connection(('127.0.0.1', 80), 1)
    if what == 'process': subprocess.run(['true'])
    if what == 'file': open('/etc/passwd')
    if what == 'temporary': tempfile.TemporaryFile()
`
      const pool = await openCode(code, { sandbox, isolation })
      for (const what of ['network', 'process', 'file', 'temporary'])
        expect(await pool.run(what)).toMatchObject({
          kind: 'error',
          message: expect.stringMatching(/the sandbox has no/),
        })
    })

    test.skipIf(reason)('nothing is left after a kill', async () => {
      const pool = await openFixture('sleep-forever.py', {
        sandbox,
        isolation,
        limits: { timeout_ms: 60_000 },
      })
      await pool.ready
      const call = pool.run(1)
      await new Promise(resolve => setTimeout(resolve, 100))
      expect(processes()).toBeGreaterThan(0)
      await pool.close()
      expect(processes()).toBe(0)
      expect((await call).kind).toBe('killed')
    })
  })
})

/** How many processes that this one has started run a harness. */
function processes(): number {
  const listing = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
  const rows = listing.split('\n').map(line => line.trim().split(/\s+/))
  const below = new Set([String(process.pid)])
  for (let size = 0; size !== below.size; ) {
    size = below.size
    for (const [pid, parent] of rows) if (below.has(parent!)) below.add(pid!)
  }
  return rows.filter(
    ([pid, , ...args]) => below.has(pid!) && args.some(argument => argument.endsWith('runner.py')),
  ).length
}
