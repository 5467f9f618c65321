import { appendFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { generate } from '../../src/actions/generate.ts'
import { reproduce } from '../../src/actions/reproduce.ts'
import { bundleThreads, topicRows } from '../generators/briefs.ts'
import { createApp } from '../helpers/app.ts'

beforeAll(bundleThreads)

test('a learned version is made again, also when the task has changed and examples were added since', async () => {
  const app = await createApp(topicRows(40))
  const { version, digest } = await generate(app.workspace, { app: app.id, seed: 7 })
  app.put('datasets/examples/zz-more.jsonl', '{"input":{"text":"a spade"},"output":"tool"}\n')
  app.put(
    'config.yaml',
    'loop_app_id: test-001\ntask: Another one\ninput_schema: {type: object}\noutput_schema: {enum: [fruit, tool]}\n',
  )
  expect(await reproduce(app.workspace, `${app.id}@v${version}`)).toEqual({
    loop_app_id: app.id,
    version,
    digest,
    reproduced_digest: digest,
    outcome: 'pass',
    differences: [],
  })
  expect(readdirSync(path.join(app.folder, 'artifacts'))).toEqual(['v1'])

  const examples = path.join(app.folder, 'datasets/examples')
  const file = readdirSync(examples).find(name => !name.startsWith('zz'))!
  appendFileSync(path.join(examples, file), '{"input":{"text":"a lemon"},"output":"fruit"}\n')
  expect(await reproduce(app.workspace, `${app.id}@v1`)).toMatchObject({
    outcome: 'inconclusive',
    reproduced_digest: null,
    differences: [`datasets/examples/${file} (40 rows) has changed or is missing`],
  })
})

test('what a person has written cannot be made again', async () => {
  const app = await createApp(topicRows(4))
  const code = 'def execute(input_data):\n    return "fruit"\n'
  await add(app.workspace, { app: app.id, path: app.put('draft/program.py', code) })
  await expect(reproduce(app.workspace, `${app.id}@v1`)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: 'v1 of test-001 was written by a person: only what was learned can be made again',
  })
})
