import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { generate } from '../../src/actions/generate.ts'
import { asksOf } from '../../src/domain/asks.ts'
import { completeConfig } from '../../src/domain/config.ts'
import { isHeldOut } from '../../src/domain/evaluation.ts'
import { trust } from '../../src/store/trust.ts'
import { topicRows } from '../generators/briefs.ts'
import { createApp, type TestApp } from '../helpers/app.ts'
import { temporaryFolder } from '../helpers/repository.ts'

const FRUIT = 'apple pear plum cherry grape melon peach'
const program = (fruit: string) =>
  `def execute(input_data):\n    return "fruit" if any(w in input_data["text"] for w in "${fruit}".split()) else "tool"\n`

beforeEach(() => {
  process.env.LOOPAI_CONFIG_DIR = path.join(temporaryFolder(), 'config')
  process.env.AGENT_TOKEN = 'a secret'
})

afterEach(() => {
  delete process.env.LOOPAI_CONFIG_DIR
  delete process.env.AGENT_TOKEN
})

/** An app whose programs are written by a Node script that is run in the working folder. */
async function withAgent(
  script: string,
  { more = '', isTrusted = true, external = 'full', rows = topicRows(40) } = {},
): Promise<TestApp & { log: string }> {
  const folder = temporaryFolder()
  const file = path.join(folder, 'agent.mjs')
  const log = path.join(folder, 'log')
  writeFileSync(file, `import fs from 'node:fs'\nconst LOG = ${JSON.stringify(log)}\n${script}`)
  const argv = JSON.stringify([process.execPath, file])
  const app = await createApp(rows, {
    settings: `generator: {use: command, command: ${argv}${more}}\nprivacy: {external: ${external}}`,
  })
  if (isTrusted) await trustAll(app)
  return { ...app, log }
}

async function trustAll({ workspace, folder }: TestApp) {
  const { load } = await import('js-yaml')
  const config = completeConfig(load(readFileSync(path.join(folder, 'config.yaml'), 'utf8')))
  for (const ask of asksOf(config)) await trust(workspace.dir!, ask, new Date())
}

function versionsOf({ folder }: TestApp): string[] {
  const artifacts = path.join(folder, 'artifacts')
  return existsSync(artifacts) ? readdirSync(artifacts) : []
}

test('an agent is told the task, sees no held-out row and no secret, and what it leaves becomes a version', async () => {
  const app = await withAgent(`
    const seen = Object.fromEntries(fs.readdirSync('.').map(name => [name, fs.readFileSync(name, 'utf8')]))
    fs.writeFileSync(LOG, JSON.stringify({ seen, env: process.env }))
    fs.writeFileSync('words.json', '["apple"]')
    fs.writeFileSync('program.py', ${JSON.stringify(program(FRUIT))})
    fs.symlinkSync('/etc/passwd', 'users.txt')
  `)
  expect(await generate(app.workspace, { app: app.id })).toMatchObject({ generator: 'command', version: 1 })
  expect(readdirSync(path.join(app.folder, 'artifacts/v1')).sort()).toEqual([
    'manifest.json',
    'program.py',
    'words.json',
  ])
  const { seen, env } = JSON.parse(readFileSync(app.log, 'utf8'))
  expect(Object.keys(seen).sort()).toEqual(['TASK.md', 'examples.jsonl', 'spec.json'])
  expect(seen['TASK.md']).toContain('Tell the labels apart')
  expect(seen['TASK.md']).toContain('- The same input always gives the same output')
  const shown = seen['examples.jsonl']
    .trim()
    .split('\n')
    .map((line: string) => JSON.parse(line))
  expect(shown).toEqual(topicRows(40).filter(row => !isHeldOut(row)))
  expect(Object.keys(env)).not.toContain('AGENT_TOKEN')
})

test('what is wrong with its program is in the next folder, beside the program', async () => {
  const app = await withAgent(`
    const rounds = fs.existsSync('feedback.json')
    if (rounds) fs.writeFileSync(LOG, fs.readFileSync('feedback.json') + fs.readFileSync('program.py', 'utf8'))
    fs.writeFileSync('program.py', rounds ? ${JSON.stringify(program(FRUIT))} : ${JSON.stringify(program('apple'))})
  `)
  const generated = await generate(app.workspace, { app: app.id })
  expect(generated.score!.held_out.accuracy).toBe(1)
  const log = readFileSync(app.log, 'utf8')
  expect(log).toMatch(/"expected": "fruit",\s+"got": "tool"/)
  expect(log).toContain('"apple".split()')
})

test('a program of amounts is good when it comes close: it is not sent back for what it does not hit', async () => {
  const rows = Array.from({ length: 60 }, (_, size) => ({ input: { size }, output: 3 * size + 0.5 }))
  const app = await withAgent(
    `fs.appendFileSync(LOG, 'asked ')
    fs.writeFileSync('program.py', 'def execute(input_data):\\n    return 3 * input_data["size"]\\n')`,
    { rows },
  )
  await generate(app.workspace, { app: app.id })
  expect(readFileSync(app.log, 'utf8')).toBe('asked ')
})

test('nothing runs before somebody has agreed to exactly this command', async () => {
  const app = await withAgent(`fs.writeFileSync(LOG, 'ran')`, { isTrusted: false })
  await expect(generate(app.workspace, { app: app.id })).rejects.toMatchObject({
    code: 'NOT_TRUSTED',
    message: expect.stringContaining('asks to run ["'),
    hint: 'read it, and agree with: loopai trust',
  })
  await trustAll(app)
  const config = path.join(app.folder, 'config.yaml')
  writeFileSync(config, readFileSync(config, 'utf8').replace('agent.mjs"', 'agent.mjs", "--more"'))
  await expect(generate(app.workspace, { app: app.id })).rejects.toMatchObject({ code: 'NOT_TRUSTED' })
  expect(existsSync(app.log)).toBe(false)
})

test('nothing runs while privacy.external is none, and it is said which setting allows it', async () => {
  const app = await withAgent(`fs.writeFileSync(LOG, 'ran')`, { external: 'none' })
  await expect(generate(app.workspace, { app: app.id })).rejects.toMatchObject({
    code: 'EXTERNAL_FORBIDDEN',
    message: expect.stringMatching(
      /nothing was started\. .* would be given the task, both schemas and \d+ labelled rows/,
    ),
    hint: expect.stringContaining('privacy: {external: full}'),
  })
  expect(existsSync(app.log)).toBe(false)
})

test('with privacy.external redacted an agent sees only shapes', async () => {
  const app = await withAgent(
    `
    const names = fs.readdirSync('.').filter(name => name !== 'program.py')
    fs.appendFileSync(LOG, names.map(name => fs.readFileSync(name, 'utf8')).join('\\n'))
    fs.writeFileSync('program.py', ${JSON.stringify(program('apple pear'))})
  `,
    { external: 'redacted', more: ', attempts: 2' },
  )
  await generate(app.workspace, { app: app.id })
  const seen = readFileSync(app.log, 'utf8')
  expect(seen).not.toMatch(/pear|hammer|kitchen/)
  expect(seen).toContain('their content is private')
  expect(seen).toMatch(/"expected": "fruit",\s+"got": "xxxx"/)
})

test.each([
  ['no program', `fs.writeFileSync('notes.txt', '')`, 'the agent left no program.py', 'it left: notes.txt'],
  ['a failure', `console.error('no licence'); process.exit(3)`, /ended with status 3\nno licence/, /by hand/],
  ['more time than it has', `setInterval(() => {}, 1000)`, /did not end within 1 s/, /timeout_seconds/],
])('%s ends it, in words', async (_, script, message, hint) => {
  const app = await withAgent(script, { more: ', timeout_seconds: 1' })
  await expect(generate(app.workspace, { app: app.id })).rejects.toMatchObject({
    code: 'GENERATOR_FAILED',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
  })
  expect(versionsOf(app)).toEqual([])
})

test('Ctrl-C ends the agent and what it has started', async () => {
  const app = await withAgent(`
    const { spawn } = await import('node:child_process')
    const child = spawn('sleep', ['60'])
    fs.writeFileSync(LOG, String(child.pid))
    setInterval(() => {}, 1000)
  `)
  const controller = new AbortController()
  app.workspace.signal = controller.signal
  const reason = new Error('interrupted')
  const running = generate(app.workspace, { app: app.id })
  const outcome = expect(running).rejects.toBe(reason)
  while (!existsSync(app.log) || readFileSync(app.log, 'utf8') === '')
    await new Promise(resolve => setTimeout(resolve, 20))
  controller.abort(reason)
  await outcome
  const child = Number(readFileSync(app.log, 'utf8'))
  await expect.poll(() => existsSync(`/proc/${child}/cwd`)).toBe(false)
})
