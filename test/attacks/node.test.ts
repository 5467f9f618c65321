import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS, type Isolation } from '../../src/domain/launch.ts'
import node from '../../src/runtimes/node.ts'
import bubblewrap from '../../src/sandboxes/bubblewrap.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { FIXTURES } from '../helpers/workers.ts'

const { missing } = await findTiers(['bubblewrap'], 'node')
const reason = missing.get('bubblewrap')

describe.skipIf(reason).each(['shared', 'request'] as const)(
  `a JavaScript program with %s isolation${reason ?? ''}`,
  isolation => {
    test('reaches nothing', async () => {
      process.env.ATTACK_SECRET = 'SECRET'
      const outside = temporaryFolder()
      writeFileSync(path.join(outside, 'secret.json'), '{"secret": 1}')
      const abstract = `loopai-node-${process.pid}-${isolation}`
      const tcp = createServer(connection => connection.on('error', () => {}).end('HELLO'))
      const servers = [tcp, createServer(), createServer()]
      const places = [
        { port: 0, host: '127.0.0.1' },
        { path: path.join(outside, 'sock') },
        { path: `\0${abstract}` },
      ]
      await Promise.all(
        servers.map((server, index) => new Promise<void>(resolve => server.listen(places[index], resolve))),
      )
      onTestFinished(() => {
        delete process.env.ATTACK_SECRET
        for (const server of servers) server.close()
      })
      const pool = await open('reach.mjs', isolation, path.join(outside, 'secret.json'))
      const { port } = tcp.address() as { port: number }
      expect(await pool.run({ outside, port, abstract })).toMatchObject({ kind: 'ok', value: [] })
    })

    test.each([
      ['forge', /^(protocol|ok)$/],
      ['flood', /^(protocol|log-limit|output-limit)$/],
      ['kill', /^(ok|killed)$/],
      ['abort', /^(killed|noreply)$/],
      ['exit', /^noreply$/],
      ['exit really', /^noreply$/],
      ['microtasks', /^(timeout|killed|memory|cpu)$/],
      ['never', /^noreply$/],
      ['sleep', /^timeout$/],
      ['uncaught', /^noreply$/],
      ['rejection', /^noreply$/],
      ['hang at exit', /^ok$/],
      ['threads', /^(ok|error|killed|noreply|memory|log-limit|timeout)$/],
      ['patch', /^(protocol|ok|error|noreply|timeout)$/],
    ])('that does "%s" is in nobody else’s way', async (told, kind) => {
      const pool = await open('break.mjs', isolation)
      const other = await open('break.mjs', isolation)
      const reply = await pool.run(told)
      expect(reply.kind).toMatch(kind)
      // What it forges is never the answer to a call.
      if (reply.kind === 'ok') expect(reply.value).not.toBe('forged')
      expect(await other.run('innocent')).toMatchObject({ kind: 'ok', value: 'innocent' })
      if (isolation === 'request')
        expect(await pool.run('seen')).toMatchObject({ kind: 'ok', value: 'nothing' })
    })

    test('returns plain data or nothing', async () => {
      const pool = await open('break.mjs', isolation)
      const errors = ['throw nothing', 'throw a trap', 'a trap']
      const outputs = [
        'a liar',
        'a getter',
        'a date',
        'a map',
        'a function',
        'a big integer',
        'undefined',
        'cycle',
      ]
      const replies = await pool.runMany([...errors, ...outputs, 'innocent'])
      expect(replies.map(reply => reply.kind)).toEqual([
        ...errors.map(() => 'error'),
        ...outputs.map(() => 'bad-output'),
        'ok',
      ])
      expect((await pool.run('sparse')).kind).toMatch(/^(bad-output|timeout)$/)
    })
  },
)

async function open(fixture: string, isolation: Isolation, linked?: string) {
  const directory = path.join(temporaryFolder(), 'program')
  mkdirSync(directory)
  copyFileSync(path.join(FIXTURES, fixture), path.join(directory, fixture))
  if (linked) symlinkSync(linked, path.join(directory, 'link'))
  const limits = { ...DEFAULT_LIMITS, timeout_ms: 1500, memory_mb: 128 }
  const inside = '/loopai-data/loop-apps/attack-001/artifacts/v1'
  const launch = node.launch(await findInterpreter(node), {
    directory,
    inside,
    entry: fixture,
    limits,
    isolation,
  })
  const pool = createPool({ launch: bubblewrap.confine(launch), limits })
  onTestFinished(() => pool.close())
  return pool
}
