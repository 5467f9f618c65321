import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { prepareCandidate } from '../../src/actions/candidate.ts'
import { openApp } from '../../src/actions/open-app.ts'
import { readYardstick } from '../../src/actions/score.ts'
import type { Check } from '../../src/domain/promotion.ts'
import { readConfig } from '../../src/store/apps.ts'
import { topicRows } from '../generators/briefs.ts'
import { createApp, type TestApp } from '../helpers/app.ts'

const GOOD = `import re

def execute(input_data):
    return "fruit" if re.search("apple|pear|plum|cherry|grape|melon|peach", input_data["text"]) else "tool"
`

async function checksOf({ workspace, id }: TestApp, code: string, isGenerated = true): Promise<Check[]> {
  const { data, app } = await openApp(workspace, id)
  const draft = {
    files: [{ path: 'program.py', content: code }],
    runtime: 'python' as const,
    entry: 'program.py',
  }
  const [config, yardstick] = await Promise.all([readConfig(data, app), readYardstick(app)])
  const candidate = await prepareCandidate(app, config, draft, yardstick, { isGenerated })
  await candidate.staged.remove()
  return candidate.check.checks
}

function failed(checks: Check[]) {
  return checks.filter(check => check.outcome !== 'pass').map(({ name, message }) => `${name}: ${message}`)
}

test('a good program passes every check', async () => {
  const app = await createApp(topicRows(20))
  const checks = await checksOf(app, GOOD)
  expect(failed(checks)).toEqual([])
  expect(checks.map(check => check.name)).toEqual([
    'loads',
    'imports',
    'size',
    'answers',
    'pure function',
    'latency',
  ])
})

test('what does not parse is named with its line, and nothing else is said', async () => {
  const app = await createApp(topicRows(4))
  const checks = await checksOf(app, 'def execute(input_data):\n    return "fruit\n', false)
  expect(checks).toHaveLength(1)
  expect(failed(checks)[0]).toMatch(/^loads: program\.py:2: SyntaxError: .*return "fruit/)
})

test('what raises when it is loaded does not load', async () => {
  const app = await createApp(topicRows(4))
  const checks = await checksOf(app, 'TABLE = {}["missing"]\ndef execute(input_data):\n    return "fruit"\n')
  expect(failed(checks)[0]).toMatch(/^loads: KeyError: 'missing' \(program\.py:1\)/)
})

test('a generated program that imports what it may not, also inside a function, is refused; a written one is not', async () => {
  const app = await createApp(topicRows(4))
  const code = `${GOOD}\ndef unused():\n    import socket\n    return eval("1")\n`
  expect(failed(await checksOf(app, code))).toEqual([
    'imports: it imports socket (program.py:7), eval() (program.py:8); only the computing part of the standard library is allowed, and what requirements.txt names',
  ])
  expect(failed(await checksOf(app, code, false))).toEqual([])
})

test('a generated program that is slow to load is refused; a written one has the time of its limits', async () => {
  const app = await createApp(topicRows(4))
  const code = `import threading\nthreading.Event().wait(1.5)\n${GOOD}`
  expect(failed(await checksOf(app, code))).toEqual(['loads: the program did not load within 1000 ms'])
  expect(failed(await checksOf(app, code, false))).toEqual([])
})

test('a generated program that is too large is refused', async () => {
  const app = await createApp(topicRows(4))
  expect(failed(await checksOf(app, `${GOOD}# ${'x'.repeat(6e6)}\n`))).toEqual([
    'size: 5.72 MB of at most 5 MB',
  ])
})

test('an answer that depends on the calls before is found', async () => {
  const app = await createApp(topicRows(8))
  const code = `CALLS = []\n${GOOD.replace('return', 'CALLS.append(1)\n    return "tool" if len(CALLS) % 3 == 0 else')}`
  expect(failed(await checksOf(app, code))[0]).toMatch(/^pure function: not a pure function: /)
})

test('a slow program misses the target of the app', async () => {
  const app = await createApp(topicRows(4), { settings: 'targets: {latency_ms: 20}' })
  const code = `import threading\n${GOOD.replace('    return', '    threading.Event().wait(0.05)\n    return')}`
  expect(failed(await checksOf(app, code))[0]).toMatch(/^latency: .* ms, target 20 ms$/)
})

test('a program that never answers some inputs is given up, whichever of the processes meets them first', async () => {
  const rows = [{ input: { text: 'at once' }, output: 'fruit' }]
  for (const text of ['a', 'b', 'c', 'd', 'e']) rows.push({ input: { text }, output: 'tool' })
  const app = await createApp(rows, { settings: 'limits: {timeout_ms: 150}' })
  const code =
    'def execute(input_data):\n    while input_data["text"] != "at once":\n        pass\n    return "fruit"\n'
  expect(failed(await checksOf(app, code, false))).toEqual([
    'answers: answers 0 of 5 inputs: no answer within 150 ms',
  ])
})

test('a program that takes too much memory for each input is given up', async () => {
  const app = await createApp(topicRows(40), { settings: 'limits: {memory_mb: 64}' })
  const code = 'def execute(input_data):\n    return str(len(bytearray(2 << 30)))\n'
  expect(failed(await checksOf(app, code, false))).toEqual([
    expect.stringMatching(/^answers: answers 0 of 5 inputs: /),
  ])
})

test('recorded inputs must be answered too, those that do not fit the schema aside', async () => {
  const app = await createApp(topicRows(4))
  const lines = [{ text: 'a pear' }, { text: '' }, { text: 7 }].map(input => JSON.stringify({ input }))
  app.put('datasets/executions/2026-01-31.jsonl', `${lines.join('\n')}\n`)
  const code = GOOD.replace(
    '    return',
    '    if not input_data["text"]: raise ValueError("empty")\n    return',
  )
  expect(failed(await checksOf(app, code))).toEqual([
    'recorded inputs: answers 1 of the last 2 recorded inputs: ValueError: empty (program.py:4)',
  ])
})

test('a draft that fails is not registered, and nothing of it is left', async () => {
  const app = await createApp(topicRows(4))
  const file = app.put('draft/program.py', 'def execute(input_data):\n    return "vegetable"\n')
  await expect(add(app.workspace, { app: app.id, path: file })).rejects.toMatchObject({
    code: 'DRAFT_FAILED',
    message: expect.stringContaining('answers 0 of 4 inputs'),
  })
  expect(readdirSync(`${app.folder}/artifacts`)).toEqual([])
})
