import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/domain/json.ts'
import { bundle } from '../helpers/bundle.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { serveProcess } from '../helpers/serve-process.ts'
import { dataDirectory } from '../helpers/served.ts'
import { hasHttpx, python } from '../helpers/works.ts'

const ROOT = new URL('../../', import.meta.url).pathname

/** Programs that answer by one word, held to the schemas of the shipped templates. */
const PROGRAMS: Record<string, string> = {
  'spam-detector': '"spam" if "prize" in input_data["text"] else "ham"',
  'sentiment-analyzer': '"negative" if "broke" in input_data["text"] else "positive"',
  'product-categorizer': '"home" if "blender" in input_data["text"] else "books"',
  'email-categorizer': '"urgent" if "today" in input_data["subject"] else "inbox"',
  'priority-scorer': '"high" if "down" in input_data["email"]["body"] else "low"',
}

const REVIEWS = ['The blender broke after two days', 'A novel I could not put down', 'Claim your prize now']
const VERDICTS = [
  { status: 'approved', sentiment: 'negative', category: 'home' },
  { status: 'approved', sentiment: 'positive', category: 'books' },
  { status: 'rejected', reason: 'spam' },
]
const MAILS = [
  { subject: 'needed today', body: 'the server is down' },
  { subject: 'hello', body: 'how are you?' },
  { subject: 'you won', body: 'your prize waits' },
].map(mail => JSON.stringify(mail))
const FOLDERS = [{ folder: 'urgent', priority: 'high' }, { folder: 'inbox', priority: 'low' }, 'move_to_spam']

describe.each([
  ['shop', REVIEWS, VERDICTS],
  ['mail', MAILS, FOLDERS],
])('the worked example %s', (name, lines, expected) => {
  test('in TypeScript', { timeout: 60_000 }, async () => {
    const program = path.join(temporaryFolder(), `${name}.mjs`)
    const client = path.join(ROOT, 'src/client.ts')
    await bundle(path.join(ROOT, 'docs/examples', `${name}.ts`), program, { 'loopai/client': client })
    expect(await run(process.execPath, [program], lines)).toEqual(expected)
  })

  test.skipIf(!hasHttpx)(
    `in Python${hasHttpx ? '' : ' (skipped: no httpx)'}`,
    { timeout: 60_000 },
    async () => {
      const program = path.join(ROOT, 'docs/examples', `${name}.py`)
      expect(await run(python, [program], lines)).toEqual(expected)
    },
  )
})

async function run(command: string, args: string[], lines: string[]): Promise<unknown[]> {
  const apps = Object.entries(PROGRAMS).map(([name, answer]) => {
    const spec = readFileSync(path.join(ROOT, 'templates/apps', name, 'spec.yaml'), 'utf8')
    const { input_schema, output_schema } = load(spec) as Record<string, JsonObject>
    const program = `def execute(input_data):\n    return ${answer}\n`
    return { id: `${name}-001`, programs: [program], input: input_schema!, output: output_schema! }
  })
  const { url } = await serveProcess(await dataDirectory(...apps))
  const child = spawn(command, args, {
    env: {
      PATH: process.env.PATH,
      LOOPAI_URL: url,
      PYTHONPATH: path.join(ROOT, 'clients/python/src'),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(lines.map(line => `${line}\n`).join(''))
  let said = ''
  for await (const chunk of child.stdout) said += chunk
  return said
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}
