import { readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { generate } from '../../src/actions/generate.ts'
import { promote } from '../../src/actions/promote.ts'
import { show } from '../../src/actions/show.ts'
import { isHeldOut } from '../../src/domain/evaluation.ts'
import { bundleThreads, topicRows } from '../generators/briefs.ts'
import { createApp } from '../helpers/app.ts'

beforeAll(bundleThreads)

test('a learned version keeps a report of all rows, a written one of those that its writer was not shown', async () => {
  const rows = [
    ...topicRows(40),
    topicRows(1)[0]!,
    { input: { text: 'THE apple and a apple from the kitchen kitchen' }, output: 'tool' },
  ]
  const app = await createApp(rows)
  const { report } = await generate(app.workspace, { app: app.id })
  expect(report).toMatchObject({
    rows: 42,
    majority: { output: expect.anything(), accuracy: 0.5 },
    duplicates: 1,
    contradictions: 3,
    bytes: expect.any(Number),
  })
  expect(report!.labels.map(({ label, rows }) => [label, rows])).toEqual([
    ['fruit', 21],
    ['tool', 21],
  ])
  expect(report!.calibration.reduce((sum, bin) => sum + bin.rows, 0)).toBe(42)
  const manifest = JSON.parse(readFileSync(path.join(app.folder, 'artifacts/v1/manifest.json'), 'utf8'))
  expect(manifest.evaluation.report).toEqual(report)
  expect(JSON.stringify(report)).not.toContain('kitchen')

  const forced = { ...app.workspace, message: 'a test' }
  await promote(forced, { address: app.id, version: 'v1', force: true })
  const code = 'def execute(input_data):\n    return "fruit"\n'
  await add(app.workspace, { app: app.id, path: app.put('draft/program.py', code) })
  const shown = await show(app.workspace, `${app.id}@v2`)
  const version = 'version' in shown ? shown.version : undefined
  const heldOut = rows.filter(isHeldOut)
  expect(version!.report).toMatchObject({ rows: heldOut.length, calibration: [] })
  expect(version!.report!.labels.find(({ label }) => label === 'fruit')!.answered).toBe(heldOut.length)
  expect(version!.compared).toMatchObject({ version: 1, gained: 0 })
  expect(version!.compared!.lost).toBeGreaterThan(0)
})
