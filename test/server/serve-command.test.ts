import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { LoopaiClient } from '../../src/client.ts'
import { serveProcess } from '../helpers/serve-process.ts'
import { ANSWER_HAM, dataDirectory, FIND_PRIZE, OBEY, SPAM } from '../helpers/served.ts'

const BIN = new URL('../../bin/loopai.js', import.meta.url).pathname

function recorded(root: string): { execution_id: string; status: string; error?: { kind: string } }[] {
  const folder = path.join(root, 'loop-apps', SPAM, 'datasets', 'executions')
  const lines = readdirSync(folder).flatMap(file => readFileSync(path.join(folder, file), 'utf8').split('\n'))
  return lines.filter(line => line !== '').map(line => JSON.parse(line))
}

test('SIGTERM under load: every answer that was given is in the dataset once, and the exit status is 0', async () => {
  const root = await dataDirectory({ programs: [FIND_PRIZE] })
  const server = await serveProcess(root)
  const client = new LoopaiClient(SPAM, { baseUrl: server.url, tries: 1 })
  const answered: string[] = []
  let isOver = false
  const ask = async () => {
    while (!isOver) answered.push((await client.execute({ text: 'a' })).execution_id)
  }
  const asking = Array.from({ length: 8 }, () => ask().catch(() => {}))
  await new Promise(resolve => setTimeout(resolve, 500))
  const status = await server.stop()
  isOver = true
  await Promise.all(asking)
  expect(status).toBe(0)
  expect(answered.length).toBeGreaterThan(8)
  const ids = recorded(root).map(record => record.execution_id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(answered.filter(id => !ids.includes(id))).toEqual([])
})

test('each request is a line of the log, without its input', async () => {
  const server = await serveProcess(await dataDirectory({ programs: [ANSWER_HAM] }))
  const { execution_id } = await new LoopaiClient(SPAM, { baseUrl: server.url }).execute({ text: 'private' })
  await server.stop()
  const lines = server
    .log()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.find(line => line.execution_id === execution_id)).toMatchObject({
    method: 'POST',
    route: '/loop-apps/{id}/execute',
    loop_app_id: SPAM,
    status: 200,
    version: 'v1',
  })
  expect(server.log()).not.toContain('private')
})

test('an address that others reach is refused without a token, unless it is insisted on', async () => {
  const root = await dataDirectory({ programs: [ANSWER_HAM] })
  const serve = (...args: string[]) =>
    spawnSync(process.execPath, [BIN, '-C', root, 'serve', '--port', '0', '--json', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    })
  const open = serve('--host', '0.0.0.0')
  expect(open.status).toBe(2)
  expect(JSON.parse(open.stderr).error).toMatchObject({
    code: 'USAGE',
    hint: expect.stringContaining('--token-env'),
  })
  expect(serve('--token-env', 'NOT_SET').status).toBe(2)
  expect(serve('nobody-001').status).toBe(4)
  const insecure = await serveProcess(root, ['--host', '0.0.0.0', '--insecure'])
  const { port } = new URL(insecure.url)
  expect((await fetch(`http://127.0.0.1:${port}/loop-apps`)).status).toBe(200)
})

test('a worker killed every 100 ms costs at most the request it works on, and each request is recorded once', async () => {
  const root = await dataDirectory({ programs: [OBEY] })
  const server = await serveProcess(root)
  const client = new LoopaiClient(SPAM, { baseUrl: server.url, tries: 1 })
  const answered: string[] = []
  const failed: { id: string | undefined; status: number | undefined }[] = []
  let kills = 0
  let isOver = false
  const ask = async () => {
    while (!isOver) {
      try {
        answered.push((await client.execute({ text: 'a' })).execution_id)
      } catch (error) {
        const { executionId, status } = error as { executionId?: string; status?: number }
        failed.push({ id: executionId, status })
      }
    }
  }
  const asking = Array.from({ length: 16 }, ask)
  try {
    for (let count = 0; count < 20; count++) {
      await new Promise(resolve => setTimeout(resolve, 100))
      if (killWorker(server.child.pid!)) kills++
    }
  } finally {
    isOver = true
  }
  await Promise.all(asking)
  await server.stop()
  expect(kills).toBeGreaterThan(5)
  expect(answered.length).toBeGreaterThan(100)
  expect(failed.length).toBeLessThanOrEqual(kills)
  expect(failed.filter(({ status }) => status !== 500)).toEqual([])
  const idsOf = (isSuccess: boolean) =>
    recorded(root)
      .filter(record => (record.status === 'success') === isSuccess)
      .map(record => record.execution_id)
      .sort()
  expect(idsOf(true)).toEqual(answered.sort())
  expect(idsOf(false)).toEqual(failed.map(({ id }) => id).sort())
})

/** Kills one of the processes that the server has started, whichever. */
function killWorker(server: number): boolean {
  try {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server)], { encoding: 'utf8' })
    const pids = children.trim().split(/\s+/).map(Number)
    const pid = pids[Math.floor(Math.random() * pids.length)]
    if (!pid) return false
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

test('the client is one file without imports, as browsers take it', () => {
  const file = readFileSync(new URL('../../dist/client.js', import.meta.url), 'utf8')
  expect(file).not.toMatch(/^import|require\(/m)
})
