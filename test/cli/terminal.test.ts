import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loopai, prepared, readLines, succeed, traces, writeFiles } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { atTerminal, hasTerminals } from '../helpers/terminal.ts'

const ENTER = '\r'
const DOWN = '\u001b[B'
const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

const copy = prepared(async folder => {
  await succeed(folder, ['create', 'empty-001', '--template', 'blank'])
  writeFiles(folder, { 'program.py': 'def execute(x):\n  return "question"\n' })
})
const appOf = (folder: string, id: string) => path.join(folder, 'loopai-data', 'loop-apps', id)

describe.skipIf(!hasTerminals)('at a terminal', () => {
  test('create asks for what is missing, and the next step is named', async () => {
    const folder = await copy()
    const { status, shown } = await atTerminal(
      folder,
      ['create'],
      [
        ['Id of the new app', `mood-001${ENTER}`],
        ['What is it like?', ENTER],
        ['The question it answers', `How is the mood?${ENTER}`],
        ['Name of its input', ENTER],
        ['Its answers', `good, bad, good${ENTER}`],
      ],
    )
    expect(status).toBe(0)
    expect(shown).toContain('created mood-001 in loopai-data/loop-apps/mood-001')
    expect(shown).toContain('next: loopai generate mood-001 --examples rows.jsonl')
    expect(
      readFileSync(path.join(appOf(folder, 'mood-001'), 'config.yaml'), 'utf8'),
    ).toBe(`loop_app_id: mood-001
name: mood-001
task: How is the mood?
input_schema:
  type: object
  required:
    - text
  properties:
    text:
      type: string
output_schema:
  type: string
  enum:
    - good
    - bad
`)
  })

  test('create asks nothing when everything is clear', async () => {
    const { status, shown } = await atTerminal(temporaryFolder(), ['create', 'spam-detector-001'], [])
    expect(status).toBe(0)
    expect(shown).not.toContain('?')
    expect(shown).toContain('next: loopai generate spam-detector-001')
  })

  test('Ctrl-C at a question ends with 130 and changes nothing', async () => {
    const folder = await copy()
    const before = traces(path.join(folder, 'loopai-data'))
    const { status, shown } = await atTerminal(
      folder,
      ['create', 'mood-001'],
      [
        ['What is it like?', ENTER],
        ['The question it answers', CTRL_C],
      ],
    )
    expect(status).toBe(130)
    expect(shown).toContain('nothing was changed')
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
    const empty = temporaryFolder()
    expect((await atTerminal(empty, ['create'], [['Id of the new app', CTRL_C]])).status).toBe(130)
    expect(readdirSync(empty)).toEqual([])
  })

  test('generate without examples offers the ways to a first program: a skeleton', async () => {
    const folder = await copy()
    const { status, shown } = await atTerminal(
      folder,
      ['generate', 'empty-001'],
      [['How do you want to begin?', `${DOWN}${DOWN}${DOWN}${ENTER}`]],
    )
    expect(status).toBe(0)
    expect(shown).toContain('empty-001 has no examples to learn from')
    expect(shown).toContain('wrote the skeleton in ')
    expect(existsSync(path.join(appOf(folder, 'empty-001'), 'draft', 'program.py'))).toBe(true)
  })

  test('generate without examples takes pasted ones, and a draft that is not wanted is no version', async () => {
    const folder = await copy()
    const rows = Array.from({ length: 10 }, (_, i) => {
      const isQuestion = i % 2 === 0
      const input = { text: isQuestion ? `is it number ${i}?` : `it is number ${i}.` }
      return `${JSON.stringify({ input, output: isQuestion ? 'question' : 'statement' })}\r`
    })
    const steps: [string, string][] = [
      ['How do you want to begin?', `${DOWN}${ENTER}`],
      ['an empty line ends them:', `${rows.join('')}\r`],
    ]
    const declined = await atTerminal(
      folder,
      ['generate', 'empty-001'],
      [...steps, ['Keep it as a new version of empty-001?', `n${ENTER}`]],
    )
    expect(declined.status).toBe(0)
    expect(declined.shown).toContain('nothing was registered')
    expect(existsSync(path.join(appOf(folder, 'empty-001'), 'artifacts', 'v1'))).toBe(false)
    const kept = await atTerminal(
      folder,
      ['generate', 'empty-001'],
      [...steps, ['Keep it as a new version of empty-001?', ENTER]],
    )
    expect(kept.status).toBe(0)
    expect(kept.shown).toContain('added empty-001 v1')
    expect(kept.shown).toContain('next: loopai promote empty-001 v1')
    const examples = path.join(appOf(folder, 'empty-001'), 'datasets', 'examples')
    expect(readLines(path.join(examples, readdirSync(examples)[0]!))).toHaveLength(10)
  })

  test('nothing is asked with CI, --yes, --no-input or --json: the flag is named instead', async () => {
    const folder = temporaryFolder()
    const runs = await Promise.all([
      atTerminal(folder, ['create'], [], { env: { CI: 'true' } }),
      atTerminal(folder, ['create', '--yes'], []),
      atTerminal(folder, ['create', '--no-input'], []),
      atTerminal(folder, ['create', '--json'], []),
    ])
    for (const { status, shown } of runs) {
      expect(status).toBe(2)
      expect(shown).toContain('create needs an id')
    }
  })

  test('exec says what it waits for', async () => {
    const folder = await copy()
    await succeed(folder, ['add', 'empty-001', 'program.py'])
    await succeed(folder, ['promote', 'empty-001'])
    const { status, shown } = await atTerminal(
      folder,
      ['exec', 'empty-001'],
      [['type the input as JSON', `{"text": "Why?"}\r${CTRL_D}`]],
    )
    expect(status).toBe(0)
    expect(shown).toMatch(/"question"\n$/)
    const interrupted = await atTerminal(folder, ['exec', 'empty-001'], [['type the input as JSON', CTRL_C]])
    expect(interrupted.status).toBe(130)
  })

  test('colours are for terminals, and NO_COLOR, --no-color and TERM=dumb turn them off', async () => {
    const folder = temporaryFolder()
    const colour = '\u001b['
    const args = ['exec', 'nope', '1']
    expect((await atTerminal(folder, args, [])).raw).toContain(`${colour}31merror:`)
    const plain = await Promise.all([
      atTerminal(folder, args, [], { env: { NO_COLOR: '1' } }),
      atTerminal(folder, [...args, '--no-color'], []),
      atTerminal(folder, args, [], { env: { TERM: 'dumb' } }),
    ])
    for (const { raw } of plain) expect(raw).not.toContain(colour)
  })
})

test('a terminal is not needed: without one, the same commands name the flag', async () => {
  const folder = await copy()
  const create = await loopai(folder, ['create', 'mood-001'])
  expect([create.status, create.stderr]).toEqual([2, expect.stringContaining('--template blank')])
  const generate = await loopai(folder, ['generate', 'empty-001'])
  expect([generate.status, generate.stderr]).toEqual([2, expect.stringContaining('--generator template')])
})
