import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS, type Isolation } from '../../src/domain/launch.ts'
import node from '../../src/runtimes/node.ts'
import bubblewrap from '../../src/sandboxes/bubblewrap.ts'
import landlock from '../../src/sandboxes/landlock.ts'
import type { Sandbox } from '../../src/sandboxes/sandbox.ts'
import { createPool } from '../../src/workers/pool.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { FIXTURES } from '../helpers/workers.ts'

const { missing } = await findTiers(['bubblewrap', 'landlock'], 'node')
const SANDBOXES = { bubblewrap, landlock }
const SETTINGS = (['bubblewrap', 'landlock'] as const).flatMap(tier =>
  (['shared', 'request'] as const).map(isolation => [tier, isolation] as const),
)

describe.each(SETTINGS)('in %s, a JavaScript program with %s isolation', (tier, isolation) => {
  const reason = missing.get(tier)
  const open = (...args: [fixture: string, linked?: string]) => openIn(SANDBOXES[tier], isolation, ...args)

  test.skipIf(reason)('reaches nothing', async () => {
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
    const pool = await open('reach.mjs', path.join(outside, 'secret.json'))
    const { port } = tcp.address() as { port: number }
    expect(await pool.run({ outside, port, abstract })).toMatchObject({ kind: 'ok', value: [] })
  })

  test.skipIf(reason).each([
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
    const pool = await open('break.mjs')
    const other = await open('break.mjs')
    const reply = await pool.run(told)
    expect(reply.kind).toMatch(kind)
    // What it forges is never the answer to a call.
    if (reply.kind === 'ok') expect(reply.value).not.toBe('forged')
    expect(await other.run('innocent')).toMatchObject({ kind: 'ok', value: 'innocent' })
    if (isolation === 'request')
      expect(await pool.run('seen')).toMatchObject({ kind: 'ok', value: 'nothing' })
  })

  test.skipIf(reason)('returns plain data or nothing', async () => {
    const pool = await open('break.mjs')
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
})

describe.skipIf(missing.has('landlock'))('in landlock', () => {
  test('nothing but the interpreter and its loader can be executed', async () => {
    const directory = path.join(temporaryFolder(), 'program')
    mkdirSync(directory)
    copyFileSync('/bin/true', path.join(directory, 'true'))
    const limits = DEFAULT_LIMITS
    const place = { directory, inside: '/x', entry: 'true', limits, isolation: 'shared' as const }
    const launch = landlock.confine(node.launch(await findInterpreter(node), place))
    const { command } = node.launch(await findInterpreter(node), place)
    for (const other of ['/bin/true', path.join(directory, 'true'), '/bin/sh']) {
      const args = launch.args.map(argument => (argument === command ? other : argument))
      const pool = createPool({ launch: { ...launch, args }, limits })
      onTestFinished(() => pool.close())
      expect(await pool.ready).toMatchObject({
        kind: 'sandbox-unavailable',
        message: expect.stringMatching(/PermissionError/),
      })
    }
  })
})

async function openIn(sandbox: Sandbox, isolation: Isolation, fixture: string, linked?: string) {
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
  const pool = createPool({ launch: sandbox.confine(launch), limits })
  onTestFinished(() => pool.close())
  return pool
}
