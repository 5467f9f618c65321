import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { ROUTES, type Route } from '../../src/server/routes.ts'
import {
  ANSWER_HAM,
  appOf,
  dataDirectory,
  FIND_PRIZE,
  OBEY,
  putApp,
  readJson,
  SPAM,
  serve,
} from '../helpers/served.ts'

test('apps and versions are listed, without the place on the disk', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM, FIND_PRIZE] }))
  const ask = async (place: string) => readJson(await served.request(place))
  expect(await ask('/loop-apps')).toMatchObject({ loop_apps: [{ loop_app_id: SPAM, active_version: 2 }] })
  expect(await ask(`/loop-apps/${SPAM}`)).toMatchObject({ active_version: 2, versions: [{}, {}] })
  expect(await ask(`/loop-apps/${SPAM}/versions`)).toMatchObject({
    versions: [{ version: 1 }, { version: 2 }],
  })
  expect(await ask(`/loop-apps/${SPAM}/versions/v1`)).toMatchObject({ version: 1, loop_app_id: SPAM })
  expect(await ask(`/loop-apps/${SPAM}/versions/v7`)).toMatchObject({
    status: 404,
    code: 'VERSION_NOT_FOUND',
  })
  for (const place of ['', `/${SPAM}`, `/${SPAM}/versions/v1`, `/${SPAM}/stats`, '/nobody-001']) {
    const answer = await served.request(`/loop-apps${place}`)
    expect(await answer.text()).not.toContain(served.root)
  }
})

test.each(['manifest', 'history', 'config', 'active'] as const)(
  'an app whose %s is a folder does not stop the server, and hides no other',
  async part => {
    const root = await dataDirectory({ programs: [ANSWER_HAM] }, { id: 'broken-001', programs: [ANSWER_HAM] })
    const { paths } = await appOf(root, 'broken-001')
    const place = part === 'manifest' ? path.join(paths.version(1), 'manifest.json') : paths[part]
    rmSync(place, { force: true })
    mkdirSync(place)
    const served = await serve(root)
    // The clock that looks after the apps has ticked meanwhile.
    await new Promise(resolve => setTimeout(resolve, 700))
    expect((await served.execute({ text: 'a' })).status).toBe(200)
    const { loop_apps } = await readJson(await served.request('/loop-apps'))
    expect(loop_apps).toMatchObject([{ loop_app_id: 'broken-001' }, { loop_app_id: SPAM, state: 'active' }])
    const openapi = await served.request('/openapi.json')
    expect(openapi.status).toBe(200)
    expect(await openapi.text()).toContain(SPAM)
    expect((await served.request('/healthz')).status).toBe(200)
  },
)

test('stats count what was executed', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }))
  for (const text of ['a', 'b', 'raise', 3]) await served.execute({ text })
  expect(await readJson(await served.request(`/loop-apps/${SPAM}/stats`))).toMatchObject({
    total_executions: 4,
    successful_executions: 2,
    failed_executions: 2,
    success_rate: 0.5,
    by_output: { ham: 2 },
    by_error: { program_error: 1, invalid_input: 1 },
    by_version: { v1: 4 },
  })
  const later = await readJson(await served.request(`/loop-apps/${SPAM}/stats?since=2999-01-01`))
  expect(later).toMatchObject({ total_executions: 0, p50_latency_ms: null })
  expect((await served.request(`/loop-apps/${SPAM}/stats?since=yesterday`)).status).toBe(400)
})

test('feedback becomes a validation', async () => {
  const served = await serve(await dataDirectory({ programs: [FIND_PRIZE] }))
  const { execution_id } = await readJson(await served.execute({ text: 'a prize' }))
  const give = (body: object) => served.post(`/loop-apps/${SPAM}/feedback`, body)
  const given = await give({ execution_id, expected: 'ham', client: 'shop', comment: 'it was a newsletter' })
  expect(given.status).toBe(201)
  const file = path.join(served.root, 'loop-apps', SPAM, 'datasets', 'validations', 'sampled.jsonl')
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    execution_id,
    version: 1,
    output: 'spam',
    expected: 'ham',
    match: false,
    score: 0,
    oracle: { kind: 'feedback', by: 'shop' },
    comment: 'it was a newsletter',
  })
  expect(await readJson(await give({ execution_id, expected: 'sapm' }))).toMatchObject({
    status: 422,
    pointers: ['/expected'],
  })
  const unknown = execution_id!.toString().replace(/.{4}$/, '0000')
  expect(await readJson(await give({ execution_id: unknown, expected: 'ham' }))).toMatchObject({
    code: 'EXECUTION_NOT_FOUND',
  })
  expect(await readJson(await give({ execution_id: '../../x', expected: 'ham' }))).toMatchObject({
    status: 404,
  })
  expect((await give({ expected: 'ham' })).status).toBe(400)
})

test('the OpenAPI document is valid, and has the schemas of each app', async () => {
  const root = await dataDirectory(
    { programs: [FIND_PRIZE] },
    { id: 'draft-001', programs: [], active: null },
  )
  await putApp(root, { id: 'flags-001', programs: [ANSWER_HAM], output: { type: 'boolean' } })
  const served = await serve(root)
  const document = (await readJson(await served.request('/openapi.json'))) as {
    paths: Record<string, { post: { requestBody: unknown; responses: Record<string, unknown> } }>
  }
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(Object.keys(document.paths).filter(place => place.endsWith('/execute'))).toEqual([
    '/loop-apps/flags-001/execute',
    `/loop-apps/${SPAM}/execute`,
  ])
  const described = (route: Route) =>
    [route.name, route.name.replace('{id}', SPAM)].some(
      name => document.paths[name] && route.method.toLowerCase() in document.paths[name],
    )
  expect(ROUTES.filter(route => !described(route)).map(route => route.name)).toEqual(['/openapi.json'])
  const { post } = document.paths[`/loop-apps/${SPAM}/execute`]!
  expect(JSON.stringify(post.requestBody)).toContain('"required":["text"]')
  expect(JSON.stringify(post.responses)).toContain('["spam","ham"]')
})

test('metrics are Prometheus text that counts executions and requests', async () => {
  const served = await serve(await dataDirectory({ programs: [OBEY] }))
  for (const text of ['a', 'b', 'raise']) await served.execute({ text })
  const response = await served.request('/metrics')
  expect(response.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  expect(text).toContain(
    `loopai_executions_total{loop_app_id="${SPAM}",version="v1",status="success",kind=""} 2`,
  )
  expect(text).toContain(
    `loopai_executions_total{loop_app_id="${SPAM}",version="v1",status="error",kind="program_error"} 1`,
  )
  expect(text).toContain(`loopai_execution_duration_seconds_count{loop_app_id="${SPAM}"} 3`)
  expect(text).toMatch(
    /http_request_duration_seconds_count\{route="\/loop-apps\/\{id\}\/execute",code="200"\} 2/,
  )
  expect(text).toContain(`loopai_serving_version{loop_app_id="${SPAM}"} 1`)
})

test('a draining server is not ready, and still answers', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  expect(await readJson(await served.request('/readyz'))).toMatchObject({ status: 'ready' })
  served.service.drain()
  const response = await served.request('/readyz')
  expect(response.status).toBe(503)
  expect(await readJson(response)).toMatchObject({ status: 'draining' })
  expect((await served.execute({ text: 'a' })).status).toBe(200)
})

test('an app whose config.yaml is broken is 503, is named by health, and does not hide the others', async () => {
  const root = await dataDirectory({ programs: [ANSWER_HAM] })
  await putApp(root, { id: 'broken-001', programs: [ANSWER_HAM], config: 'limits: 3\n' })
  const served = await serve(root)
  expect((await served.execute({ text: 'a' })).status).toBe(200)
  expect((await served.post('/loop-apps/broken-001/execute', { input: { text: 'a' } })).status).toBe(503)
  expect(await readJson(await served.request('/healthz'))).toMatchObject({
    status: 'degraded',
    loop_apps: [{ loop_app_id: 'broken-001', status: 'unavailable' }, { status: 'ok' }],
  })
})

test('failing to record fails no execution, and is never silent', async () => {
  const served = await serve(await dataDirectory({ programs: [ANSWER_HAM] }))
  const { rmSync, writeFileSync } = await import('node:fs')
  const datasets = path.join(served.root, 'loop-apps', SPAM, 'datasets')
  rmSync(datasets, { recursive: true, force: true })
  writeFileSync(datasets, 'in the way')
  expect((await served.execute({ text: 'a' })).status).toBe(200)
  for (const app of served.service.apps.opened()) app.flush()
  expect(await readJson(await served.request('/healthz'))).toMatchObject({
    loop_apps: [{ status: 'degraded', not_recorded: 1 }],
  })
  expect(served.told.join()).toMatch(/not recorded/)
})
