import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generate } from '../../src/actions/generate.ts'
import { reproduce } from '../../src/actions/reproduce.ts'
import { isHeldOut } from '../../src/domain/evaluation.ts'
import type { Example } from '../../src/domain/example.ts'
import type { Manifest } from '../../src/domain/version.ts'
import { trust } from '../../src/store/trust.ts'
import { bundleThreads, topicRows } from '../generators/briefs.ts'
import { createApp, type TestApp } from '../helpers/app.ts'
import { type Reply, startModelServer } from '../helpers/model-server.ts'
import { temporaryFolder } from '../helpers/repository.ts'

/** Topics, which can be learned, and codes that are fruit when the sum of their letters is even, which cannot. */
const ROWS: Example[] = [
  ...topicRows(80),
  ...Array.from({ length: 80 }, (_, i) => {
    const code = createHash('sha256').update(`${i}`).digest('hex').replace(/\d/g, '').slice(0, 8)
    const sum = [...code].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
    return { input: { text: `lot ${code}` }, output: sum % 2 === 0 ? 'fruit' : 'tool' }
  }),
]
const AROUND = `import learned

def execute(input_data):
    text = input_data["text"]
    if text.startswith("lot "):
        return "fruit" if sum(map(ord, text[4:])) % 2 == 0 else "tool"
    return learned.execute(input_data)
`
const NO_BETTER = 'from learned import execute\n'

beforeAll(bundleThreads)

beforeEach(() => {
  process.env.LOOPAI_CONFIG_DIR = path.join(temporaryFolder(), 'config')
})

afterEach(() => {
  delete process.env.LOOPAI_CONFIG_DIR
})

function manifestOf({ folder }: TestApp): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'artifacts/v1/manifest.json'), 'utf8'))
}

describe('with a language model', () => {
  async function withModel(script: Reply[], { external = 'full', rows = ROWS, more = '' } = {}) {
    const server = await startModelServer(script)
    const app = await createApp(rows, {
      settings: `generator: {use: llm, provider: openai-compatible, model: scripted-1, base_url: "${server.url}", attempts: 1${more}}\nprivacy: {external: ${external}}`,
    })
    return { app, ...server }
  }

  test('rules around a learned module become a version that says what it is made of', async () => {
    const { app, asked } = await withModel([{ program: AROUND }])
    const generated = await generate(app.workspace, { app: app.id, hybrid: true })
    expect(generated).toMatchObject({ generator: 'llm', version: 1, score: { held_out: { accuracy: 1 } } })
    expect(generated.checks!.map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual([
      'loads: pass',
      'imports: pass',
      'size: pass',
      'answers: pass',
      'pure function: pass',
      'parity of the learned part: pass',
      'latency: pass',
    ])
    const shown = ROWS.filter(row => !isHeldOut(row)).length
    expect(generated.notes.at(-1)).toMatch(
      new RegExp(`^Learned from ${shown} rows and nothing around it, \\d+ of`),
    )
    const { origin, files, evaluation } = manifestOf(app)
    expect(files.map(file => file.path)).toEqual(['learned.py', 'model.json', 'program.py'])
    expect(origin.made_of).toEqual([
      { generator: 'llm', files: ['program.py'] },
      { generator: 'learn', files: ['learned.py', 'model.json'], rows: shown, accuracy: expect.any(Number) },
    ])
    expect(origin.made_of![1]!.accuracy).toBeLessThan(0.9)
    expect(evaluation!.held_out.method).toBe('held_out')
    const told = asked[0]!.body.messages.at(-1).content
    expect(told).toContain('`learned.execute(input_data)`')
    expect(told).toMatch(/"input":{"text":"lot \w+"},"expected":"\w+","got":"\w+","confidence":[\d.]+/)
    for (const row of ROWS.filter(isHeldOut)) expect(told).not.toContain(JSON.stringify(row.input))
  })

  test('what does no better than the learned program alone is dropped for one that is learned from all rows', async () => {
    const { app } = await withModel([{ program: NO_BETTER }], { more: ', hybrid: true' })
    const generated = await generate(app.workspace, { app: app.id })
    expect(generated).toMatchObject({ generator: 'learn', version: 1 })
    expect(generated.notes.at(-1)).toMatch(
      /no draft does better: this one is learned from all rows instead\.$/,
    )
    const { origin, files } = manifestOf(app)
    expect(files.map(file => file.path)).toEqual(['model.json', 'program.py'])
    expect(origin).toMatchObject({ generator: 'learn', model: 'scripted-1' })
    expect(origin).not.toHaveProperty('made_of')
    expect(await reproduce(app.workspace, `${app.id}@v1`)).toMatchObject({ outcome: 'pass' })
    expect(readdirSync(path.join(app.folder, 'artifacts'))).toEqual(['v1'])
  })

  test('a program that does without the module is kept without it', async () => {
    const alone = AROUND.replace('import learned\n', '').replace('learned.execute(input_data)', '"tool"')
    const rows = ROWS.slice(80)
    const { app } = await withModel([{ program: alone }], { rows })
    await generate(app.workspace, { app: app.id, hybrid: true })
    const { origin, files } = manifestOf(app)
    expect(files.map(file => file.path)).toEqual(['program.py'])
    expect(origin).not.toHaveProperty('made_of')
  })

  test('a model that is not reached ends it, also when something was learned', async () => {
    const { app, stop } = await withModel([{ program: AROUND }])
    await stop()
    await expect(generate(app.workspace, { app: app.id, hybrid: true })).rejects.toMatchObject({
      code: 'GENERATOR_FAILED',
    })
    expect(existsSync(path.join(app.folder, 'artifacts/v1'))).toBe(false)
    expect(readdirSync(path.join(app.folder, 'artifacts'))).toEqual([])
  })

  test('with privacy.external redacted nothing of the rows is told', async () => {
    const { app, asked } = await withModel([{ program: AROUND }], { external: 'redacted' })
    await generate(app.workspace, { app: app.id, hybrid: true })
    const told = asked[0]!.body.messages.at(-1).content
    expect(told).toContain('"input":{"text":"xxx xxxxxxxx"},"expected":"tool"')
    expect(told).not.toMatch(/lot \w|hammer|kitchen/)
  })

  test('nothing is learned when nothing may be sent', async () => {
    const { app, asked } = await withModel([{ program: AROUND }], { external: 'none' })
    const stages: string[] = []
    app.workspace.progress = ({ stage }) => stages.push(stage)
    await expect(generate(app.workspace, { app: app.id, hybrid: true })).rejects.toMatchObject({
      code: 'EXTERNAL_FORBIDDEN',
    })
    expect([asked, stages]).toEqual([[], []])
  })
})

describe('with an agent', () => {
  async function withAgent(script: string, external = 'full') {
    const folder = temporaryFolder()
    const log = path.join(folder, 'log')
    const file = path.join(folder, 'agent.mjs')
    writeFileSync(file, `import fs from 'node:fs'\nconst LOG = ${JSON.stringify(log)}\n${script}`)
    const command = [process.execPath, file]
    const app = await createApp(ROWS, {
      settings: `generator: {use: command, hybrid: true, attempts: 1, command: ${JSON.stringify(command)}}\nprivacy: {external: ${external}}`,
    })
    await trust(app.workspace.dir!, { kind: 'command', command }, new Date())
    return { app, log: () => JSON.parse(readFileSync(log, 'utf8')) }
  }
  const SEE = `const seen = Object.fromEntries(fs.readdirSync('.').map(name => [name, fs.readFileSync(name, 'utf8')]))
    fs.writeFileSync(LOG, JSON.stringify(seen))
    fs.writeFileSync('program.py', ${JSON.stringify(AROUND)})\n`

  test('the module lies beside its task, and is kept as it was learned', async () => {
    const { app, log } = await withAgent(
      `${SEE}fs.appendFileSync('learned.py', 'raise SystemExit')\nfs.rmSync('model.json')\n`,
    )
    expect(await generate(app.workspace, { app: app.id })).toMatchObject({
      generator: 'command',
      version: 1,
      score: { held_out: { accuracy: 1 } },
    })
    const seen = log()
    expect(seen['TASK.md']).toContain('`learned.execute(input_data)`')
    expect(JSON.parse(seen['mistakes.jsonl'].split('\n')[0])).toEqual({
      input: { text: expect.stringMatching(/^lot/) },
      expected: expect.any(String),
      got: expect.any(String),
      confidence: expect.any(Number),
    })
    const { files, origin } = manifestOf(app)
    expect(files.map(file => file.path)).toEqual(['learned.py', 'model.json', 'program.py'])
    expect(origin.made_of![0]).toEqual({ generator: 'command', files: ['program.py'] })
    for (const name of ['learned.py', 'model.json'])
      expect(readFileSync(path.join(app.folder, 'artifacts/v1', name), 'utf8')).toBe(seen[name])
  })

  test('with privacy.external redacted it is given no file that holds words of the rows', async () => {
    const { app, log } = await withAgent(SEE, 'redacted')
    await generate(app.workspace, { app: app.id })
    const seen = log()
    expect(Object.keys(seen).sort()).toEqual(['TASK.md', 'examples.jsonl', 'mistakes.jsonl', 'spec.json'])
    expect(JSON.stringify(seen)).not.toMatch(/lot \w|hammer|kitchen/)
    expect(manifestOf(app).origin.made_of).toHaveLength(2)
  })
})

test('what is learned or a skeleton is never written around a learned program', async () => {
  const app = await createApp(topicRows(10))
  await expect(generate(app.workspace, { app: app.id, hybrid: true })).rejects.toMatchObject({
    code: 'USAGE',
    hint: '--hybrid is for --generator llm and command',
  })
})
