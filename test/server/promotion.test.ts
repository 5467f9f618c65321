import { appendFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openLiveApp } from '../../src/actions/live-app.ts'
import { createWorkspace } from '../../src/actions/workspace.ts'
import { openDataDirectory } from '../../src/store/root.ts'
import { type Answered, watchActivations } from '../helpers/load.ts'
import {
  activate,
  addVersion,
  appOf,
  dataDirectory,
  putApp,
  readJson,
  type Served,
  SPAM,
  serve,
} from '../helpers/served.ts'

/** Answers with its own name, after a moment. */
const named = (name: string, seconds = 0) =>
  `import time\ndef execute(input_data):\n    time.sleep(${seconds})\n    return "${name}"\n`

const anyText = { output: { type: 'string' } }

async function outputOf(answer: Response | Promise<Response>) {
  return (await readJson(await answer)).output
}

async function health({ request }: Served) {
  const { loop_apps } = (await readJson(await request('/healthz'))) as {
    loop_apps: Record<string, unknown>[]
  }
  return loop_apps[0]!
}

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

test('a promotion is picked up by the next request; the one in work ends on its version', async () => {
  const root = await dataDirectory({ programs: [named('one', 0.3), named('two')], active: 1, ...anyText })
  const served = await serve(root)
  const first = served.execute({ text: 'a' })
  await pause(100)
  await activate(await appOf(root), 2)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('two')
  expect(await outputOf(first)).toBe('one')
})

test('promotions and rollbacks under constant load fail no request, and nobody is answered by a version that was not active', async () => {
  const root = await dataDirectory({ programs: [named('1'), named('2'), named('3')], active: 1, ...anyText })
  const served = await serve(root)
  const app = await appOf(root)
  const activations = watchActivations(1)
  let isOver = false
  const problems: string[] = []
  const answers: Answered[] = []
  const client = async () => {
    while (!isOver) {
      const from = performance.now()
      const response = await served.execute({ text: 'a' })
      const to = performance.now()
      const { output, version } = (await readJson(response)) as { output: string; version: number }
      answers.push({ version, output, from, to })
      if (response.status !== 200) problems.push(`status ${response.status}`)
      if (output !== String(version)) problems.push(`v${version} said ${output}`)
    }
  }
  const clients = Array.from({ length: 8 }, client)
  try {
    for (let count = 0; count < 200; count++) {
      const version = 1 + Math.floor(Math.random() * 3)
      await activations.during(async () => {
        await activate(app, version)
        return version
      })
      await pause(5)
    }
  } finally {
    isOver = true
  }
  await Promise.all(clients)
  expect(problems.slice(0, 5)).toEqual([])
  expect(answers.filter(answer => !activations.wasActive(answer))).toEqual([])
  expect(answers.length).toBeGreaterThan(200)
})

test('a look by the clock is none for a call that comes after it, also in the same turn', async () => {
  const root = await dataDirectory({ programs: [named('one'), named('two')], active: 1, ...anyText })
  const workspace = createWorkspace({ dir: root })
  const app = await appOf(root)
  const live = await openLiveApp(workspace, await openDataDirectory(workspace), app, { size: 1 })
  try {
    await live.refresh()
    await nextTurn()
    void live.refresh()
    rmSync(app.paths.active)
    symlinkSync('v2', app.paths.active)
    expect(await live.execute({ text: 'a' })).toMatchObject({ output: 'two' })
  } finally {
    await live.close()
  }
})

test('while the link is missing, dangling or leads elsewhere, the last good version answers, and health says so', async () => {
  const root = await dataDirectory({ programs: [named('one')], ...anyText })
  const served = await serve(root)
  const { paths } = await appOf(root)
  const breakages = [
    () => {},
    () => symlinkSync('v9', paths.active),
    () => symlinkSync('../../../etc', paths.active),
    () => writeFileSync(paths.active, 'v1\nv2\n'),
  ]
  for (const breakIt of breakages) {
    rmSync(paths.active, { force: true })
    breakIt()
    expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
    expect(await health(served)).toMatchObject({ status: 'degraded', serving_version: 1 })
  }
  expect((await health(served)).fallbacks).toBe(breakages.length)
  rmSync(paths.active, { force: true })
  symlinkSync('v1', paths.active)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  expect(await health(served)).toMatchObject({ status: 'ok' })
  expect((await served.request('/readyz')).status).toBe(200)
})

test('a version that arrives in pieces is used when it is whole', async () => {
  const root = await dataDirectory({ programs: [named('one'), named('two')], active: 1, ...anyText })
  const served = await serve(root)
  const app = await appOf(root)
  const program = path.join(app.paths.version(2), 'program.py')
  renameSync(program, `${root}/aside`)
  await activate(app, 2)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  expect((await health(served)).problem).toMatch(/v2 .* program\.py/)
  renameSync(`${root}/aside`, program)
  await expect.poll(() => outputOf(served.execute({ text: 'a' })), { timeout: 20_000 }).toBe('two')
})

test('while a new version loads slowly, one wait is enough: then the last good one answers at once', async () => {
  const slow = `import time\ntime.sleep(3)\n${named('two')}`
  const root = await dataDirectory({ programs: [named('one'), slow], active: 1, ...anyText })
  const served = await serve(root)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  await activate(await appOf(root), 2)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  const since = performance.now()
  for (let count = 0; count < 3; count++) expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  expect(performance.now() - since).toBeLessThan(2000)
  await expect.poll(() => outputOf(served.execute({ text: 'a' })), { timeout: 10_000 }).toBe('two')
})

test('a version whose files were changed is not served, nor is one that cannot be loaded', async () => {
  const root = await dataDirectory({ programs: [named('one'), named('two')], active: 1, ...anyText })
  const served = await serve(root)
  const app = await appOf(root)
  appendFileSync(path.join(app.paths.version(2), 'program.py'), '# changed\n')
  await activate(app, 2)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  const number = await addVersion(root, 'import nothing_of_this_name\n', {
    output_schema: { type: 'string' },
  })
  await activate(app, number)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  expect((await health(served)).problem).toMatch(/cannot be loaded/)
})

test('a number that a merge gives to another program is noticed', async () => {
  const root = await dataDirectory({ programs: [named('one'), named('two')], active: 1, ...anyText })
  const served = await serve(root)
  const { paths } = await appOf(root)
  expect(await outputOf(served.execute({ text: 'a' }))).toBe('one')
  const other = await dataDirectory({ programs: [named('another one')], ...anyText })
  rmSync(paths.version(1), { recursive: true })
  renameSync((await appOf(other)).paths.version(1), paths.version(1))
  await expect.poll(() => outputOf(served.execute({ text: 'a' })), { timeout: 5000 }).toBe('another one')
})

test('a program that is replaced while it is loaded answers nothing', async () => {
  const slow = `import time\ntime.sleep(2)\n${named('one')}`
  const root = await dataDirectory({ programs: [slow], ...anyText })
  const { paths } = await appOf(root)
  const other = await dataDirectory({ programs: [named('another one')], ...anyText })
  const serving = serve(root)
  await pause(1500)
  renameSync(paths.version(1), `${root}/aside`)
  renameSync((await appOf(other)).paths.version(1), paths.version(1))
  const { execute } = await serving
  expect(await outputOf(execute({ text: 'a' }))).toBe('another one')
})

test('a paused app answers 409 at once, an archived one too, and a resumed one again', async () => {
  const root = await dataDirectory({ programs: [named('one')], ...anyText })
  const served = await serve(root)
  const { paths } = await appOf(root)
  let count = 0
  const append = (op: string) =>
    appendFileSync(
      paths.history,
      `${JSON.stringify({
        id: `01a20e75-9a3f-74b0-b20d-00000000000${count++}`,
        at: '2026-11-24T10:00:00.000Z',
        op,
        from: null,
        to: null,
        by: 'Ada',
        via: 'cli',
        reason: null,
        evidence: null,
        forced: false,
      })}\n`,
    )
  const codes: unknown[] = []
  const execute = async () => {
    // Without a port, a refused request does not leave the turn of the event loop in which the app was looked at.
    await nextTurn()
    const response = await served.execute({ text: 'a' })
    codes.push([response.status, (await readJson(response)).code])
  }
  for (const op of ['pause', 'resume', 'archive']) {
    append(op)
    await execute()
  }
  // A pull takes the file away before it brings it back.
  rmSync(paths.history)
  await execute()
  expect(codes).toEqual([
    [409, 'APP_PAUSED'],
    [200, undefined],
    [409, 'APP_ARCHIVED'],
    [409, 'APP_ARCHIVED'],
  ])
})

test('an app that is created while the server runs is served; only named ones are, when some are named', async () => {
  const root = await dataDirectory({ programs: [named('one')], ...anyText })
  const [all, one] = [await serve(root), await serve(root, { ids: [SPAM] })]
  await putApp(root, { id: 'other-001', programs: [named('other')], ...anyText })
  const body = { input: { text: 'a' } }
  expect(await outputOf(all.post('/loop-apps/other-001/execute', body))).toBe('other')
  expect((await one.post('/loop-apps/other-001/execute', body)).status).toBe(404)
  const listed = async ({ request }: Served) => {
    const { loop_apps } = await readJson(await request('/loop-apps'))
    return (loop_apps as { loop_app_id: string }[]).map(app => app.loop_app_id)
  }
  expect([await listed(all), await listed(one)]).toEqual([['other-001', SPAM], [SPAM]])
})
