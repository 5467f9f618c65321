import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LoopaiClient, LoopaiError } from '../../src/client.ts'
import { readLines } from '../../src/store/lines.ts'
import { type Flaky, flakyProxy } from '../helpers/flaky.ts'
import { temporaryFolder } from '../helpers/repository.ts'
import { serveProcess } from '../helpers/serve-process.ts'
import { ANSWER_HAM, dataDirectory, FIND_PRIZE, OBEY } from '../helpers/served.ts'
import { hasHttpx, python, works } from '../helpers/works.ts'

/** One call, and what every client has to make of it. */
interface Vector {
  name: string
  call: 'execute' | 'execute_batch' | 'stream' | 'feedback' | 'health'
  app?: string
  input?: unknown
  inputs?: unknown[]
  options?: { version?: number | string; timeout_ms?: number }
  chunk_size?: number
  execution_id?: string
  expected?: unknown
  token?: string
  tries?: number
  /** A part of the proxy that fails on purpose. */
  via?: string
  /** How many requests it takes. */
  requests?: number
  expect: object
}

const CLIENTS = new URL('../../clients/', import.meta.url).pathname
const VECTORS: Vector[] = JSON.parse(readFileSync(path.join(CLIENTS, 'vectors.json'), 'utf8'))
const TOKEN = 'a token of the test'

const ECHO = 'def execute(input_data):\n    return input_data["text"]\n'

/** A real server behind the proxy, with the apps that the vectors call. */
async function world(): Promise<Flaky> {
  const obedient = FIND_PRIZE.replace('def execute', 'def answer')
  const both = `${OBEY.replace('def execute', 'def obey')}
${obedient}
def execute(input_data):
    orders = ("raise", "sleep", "nonsense")
    return obey(input_data) if input_data["text"] in orders else answer(input_data)
`
  const root = await dataDirectory(
    { id: 'vectors-001', programs: [ANSWER_HAM, both] },
    { id: 'echo-001', programs: [ECHO], input: { type: 'object' }, output: {} },
  )
  const server = await serveProcess(root, ['--token-env', 'THE_TOKEN'], { THE_TOKEN: TOKEN })
  return flakyProxy(server.url)
}

/** Runs one vector after the other, and counts the requests of each. */
async function checkAll(flaky: Flaky, run: (vector: Vector) => Promise<unknown>) {
  for (const vector of VECTORS) {
    flaky.count()
    const result = await run(vector)
    if (Array.isArray(vector.expect)) expect(result, vector.name).toHaveLength(vector.expect.length)
    expect(result, vector.name).toMatchObject(vector.expect)
    if (vector.requests) expect(flaky.count(), vector.name).toBe(vector.requests)
  }
}

test('the TypeScript client does what the vectors say', { timeout: 60_000 }, async () => {
  const flaky = await world()
  await checkAll(flaky, async vector => {
    const client = new LoopaiClient(vector.app ?? 'vectors-001', {
      baseUrl: flaky.url + (vector.via ?? ''),
      token: vector.token ?? TOKEN,
      tries: vector.tries ?? 3,
    })
    try {
      return await callWith(client, vector)
    } catch (error) {
      if (!(error instanceof LoopaiError)) throw error
      return { ...error, error: error.name }
    }
  })
})

async function callWith(client: LoopaiClient, vector: Vector): Promise<unknown> {
  const { call, input, inputs = [], options = {} } = vector
  if (call === 'execute') {
    const { version, timeout_ms: timeoutMs } = options
    return client.execute(input, { ...(version && { version }), ...(timeoutMs && { timeoutMs }) })
  }
  if (call === 'execute_batch') return client.executeBatch(inputs)
  if (call === 'stream') {
    const results = []
    for await (const result of client.stream(inputs, { chunkSize: vector.chunk_size! })) results.push(result)
    return results
  }
  if (call === 'health') return client.health()
  const id = vector.execution_id ?? (await client.execute(input)).execution_id
  return client.feedback(id, vector.expected)
}

describe.skipIf(!hasHttpx)(`the Python client${hasHttpx ? '' : ' (skipped: no httpx)'}`, () => {
  test.each(['sync', 'async'])('does what the vectors say, %s', { timeout: 60_000 }, async mode => {
    const flaky = await world()
    const driver = path.join(CLIENTS, 'python', 'tests', 'vectors.py')
    await checkAll(flaky, driverOf(spawn(python, [driver, flaky.url, TOKEN, mode])))
  })
})

const HTTP_LIBRARY = '/usr/lib/mono/4.5/System.Net.Http.dll'
const hasMono = works('mcs', ['--version']) && existsSync(HTTP_LIBRARY)

describe.skipIf(!hasMono)(`the .NET client${hasMono ? '' : ' (skipped: no Mono)'}`, () => {
  test('does what the vectors say', { timeout: 120_000 }, async () => {
    const program = path.join(temporaryFolder(), 'vectors.exe')
    const sources = [path.join(CLIENTS, 'dotnet/src/*.cs'), path.join(CLIENTS, 'dotnet/tests/Vectors.cs')]
    execFileSync('mcs', [
      '-langversion:7',
      '-warnaserror',
      '-r:System.Net.Http.dll',
      `-out:${program}`,
      ...sources,
    ])
    const flaky = await world()
    await checkAll(flaky, driverOf(spawn('mono', [program, flaky.url, TOKEN])))
  })
})

const MAX_LINE_BYTES = 16 * 1024 * 1024

/** A program that reads one vector a line, and answers with one result a line. */
function driverOf(child: ChildProcess) {
  let said = ''
  child.stderr!.on('data', chunk => {
    said += chunk
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  // Not Node's readline, which from Node 24 on also ends a line at U+2028, as JSON does not.
  const lines = readLines(child.stdout!, MAX_LINE_BYTES)
  return async (vector: Vector): Promise<unknown> => {
    child.stdin!.write(`${JSON.stringify(vector)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`the client ended: ${said}`)
    return JSON.parse(value.bytes!.toString())
  }
}
