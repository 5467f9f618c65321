// Requests a second over HTTP, as ratios, from interleaved rounds: `loopai serve` (sandboxed, validated, recorded, logged) beside FastAPI and
// Flask that call the same function in their own process and write the same line, and a bare Node server that only echoes JSON.
//   node bench/serve.mjs [rounds] [seconds]     needs wrk; peers come from pip into a temporary environment, or from LOOPAI_BENCH_PYTHON
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLASSIFIER } from './classifier.mjs'
import { command, median, table } from './measure.mjs'

const ROUNDS = Number(process.argv[2] ?? 5)
const SECONDS = Number(process.argv[3] ?? 5)
const CONNECTIONS = 32
const APP = 'spam-detector-001'
const BIN = fileURLToPath(new URL('../bin/loopai.js', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
const INPUT = {
  text: 'Congratulations you win a free prize, call now before the meeting to get your money',
  sender: 'a@example.com',
}

/** What a record and a log line of ours hold. */
const RECORD = `import json, sys, time, uuid
records = open(sys.argv[-1] if sys.argv[-1].endswith('.jsonl') else 'records.jsonl', 'a')
def record(given, answer, began):
    took = (time.perf_counter() - began) * 1000
    identity = str(uuid.uuid4())
    records.write(json.dumps({'execution_id': identity, 'timestamp': time.time(), 'loop_app_id': '${APP}', 'version': 1, 'input': given, 'output': answer['result'], 'status': 'success', 'latency_ms': took}) + '\\n')
    records.flush()
    return identity, took
`

const FASTAPI = `import time
from typing import Optional
from fastapi import FastAPI
from pydantic import BaseModel
from classifier import execute
from record import record
class Input(BaseModel):
    text: str
    sender: Optional[str] = None
class Body(BaseModel):
    input: Input
app = FastAPI()
@app.post('/loop-apps/${APP}/execute')
async def run(body: Body):
    began = time.perf_counter()
    given = body.input.model_dump()
    answer = execute(given)
    identity, took = record(given, answer, began)
    return {'output': answer['result'], 'confidence': answer['confidence'], 'execution_id': identity, 'latency_ms': took}
`

const FLASK = `import time
from flask import Flask, request
from classifier import execute
from record import record
app = Flask(__name__)
@app.post('/loop-apps/${APP}/execute')
def run():
    began = time.perf_counter()
    given = request.get_json()['input']
    if not isinstance(given.get('text'), str):
        return {'error': 'text'}, 422
    answer = execute(given)
    identity, took = record(given, answer, began)
    return {'output': answer['result'], 'confidence': answer['confidence'], 'execution_id': identity, 'latency_ms': took}
`

const ECHO = `import { createServer } from 'node:http'
createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { input } = JSON.parse(Buffer.concat(chunks).toString())
    const text = JSON.stringify({ output: input })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  })
}).listen(Number(process.argv[2]), '127.0.0.1')
`

if (spawnSync('wrk', ['-v']).error) {
  console.log('skipped: there is no wrk on this machine (apt-get install wrk)')
  process.exit(0)
}

const log = openSync(path.join(folder, 'log'), 'a')
const servers = []
try {
  const contenders = []
  for (const contender of [
    await loopaiServer(),
    echoServer(),
    peer('FastAPI, uvicorn', 'fastapi', python => [
      python,
      '-m',
      'uvicorn',
      'with_fastapi:app',
      '--no-access-log',
    ]),
    peer('FastAPI, uvicorn, 2 processes', 'fastapi', python => [
      python,
      '-m',
      'uvicorn',
      'with_fastapi:app',
      '--no-access-log',
      '--workers',
      '2',
    ]),
    peer('Flask, gunicorn, 2 processes', 'flask', python => [
      python,
      '-m',
      'gunicorn',
      '-w',
      '2',
      'with_flask:app',
    ]),
  ]) {
    if (contender.missing) contenders.push(contender)
    else contenders.push({ ...contender, ...(await start(contender)) })
  }
  const present = contenders.filter(one => !one.missing)
  const rounds = present.map(() => [])
  for (let round = -1; round < ROUNDS; round++) {
    for (const [place, { url }] of present.entries()) {
      const measured = load(url)
      // The first round warms up, and does not count.
      if (round >= 0) rounds[place].push(measured)
    }
  }
  report(contenders, present, rounds)
} finally {
  for (const server of servers) kill(server)
  rmSync(folder, { recursive: true, force: true })
}

function report(contenders, present, rounds) {
  const own = rounds[0]
  const rows = contenders.map(({ name, missing }) => {
    const place = present.findIndex(one => one.name === name)
    if (missing) return [name, `skipped: ${missing}`, '', '', '']
    const of = key => median(rounds[place].map(one => one[key]))
    // Each round's ratio first: what slows the machine down slows both down.
    const against = median(rounds[place].map((one, round) => own[round].perSecond / one.perSecond))
    return [name, Math.round(of('perSecond')), against.toFixed(2), of('p50').toFixed(2), of('p99').toFixed(2)]
  })
  const head = ['server', 'requests/s', 'loopai is so many times as fast', 'p50 ms', 'p99 ms']
  console.log(
    `${CONNECTIONS} connections, ${ROUNDS} interleaved rounds of ${SECONDS} s, ${os.cpus().length} cores, Node ${process.version}\n`,
  )
  console.log(table(head, rows))
}

async function loopaiServer() {
  const spec = path.join(folder, 'spec.yaml')
  writeFileSync(path.join(folder, 'classifier.py'), CLASSIFIER)
  writeFileSync(
    spec,
    `loop_app_id: ${APP}
task: Classify
input_schema: {type: object, properties: {text: {type: string}, sender: {type: string}}, required: [text]}
output_schema: {type: string, enum: [spam, ham]}
`,
  )
  const data = path.join(folder, 'data')
  const person = { GIT_AUTHOR_NAME: 'Bench', GIT_AUTHOR_EMAIL: 'bench@example.com' }
  const env = { ...person, GIT_COMMITTER_NAME: 'Bench', GIT_COMMITTER_EMAIL: 'bench@example.com' }
  const loopai = (...args) => command(folder, process.execPath, [BIN, '-C', data, ...args], { env })
  command(folder, process.execPath, [BIN, 'init', data], { env })
  loopai('create', APP, '--from', spec)
  loopai('add', APP, path.join(folder, 'classifier.py'))
  loopai('promote', APP, 'v1', '--force', '-m', 'for the benchmark')
  return { name: 'loopai serve', args: port => [process.execPath, BIN, '-C', data, 'serve', '--port', port] }
}

function echoServer() {
  writeFileSync(path.join(folder, 'echo.mjs'), ECHO)
  return { name: 'bare node:http echo', args: port => [process.execPath, 'echo.mjs', port] }
}

function peer(name, module, args) {
  writeFileSync(path.join(folder, 'record.py'), RECORD)
  writeFileSync(path.join(folder, 'with_fastapi.py'), FASTAPI)
  writeFileSync(path.join(folder, 'with_flask.py'), FLASK)
  const python = pythonWith(module)
  if (!python) return { name, missing: `no ${module} for Python` }
  const at = port => (module === 'flask' ? ['-b', `127.0.0.1:${port}`] : ['--port', port])
  return { name, args: port => [...args(python), ...at(port)] }
}

function pythonWith(module) {
  const given = process.env.LOOPAI_BENCH_PYTHON
  const python = given ?? path.join(folder, 'venv', 'bin', 'python')
  if (has(python, module)) return python
  if (given) return undefined
  try {
    execFileSync('python3', ['-m', 'venv', path.join(folder, 'venv')], { stdio: 'ignore' })
    const packages = ['fastapi', 'uvicorn[standard]', 'flask', 'gunicorn']
    execFileSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return has(python, module) ? python : undefined
}

function has(python, module) {
  return spawnSync(python, ['-c', `import ${module}`]).status === 0
}

async function start({ name, args }) {
  const port = await freePort()
  const [file, ...rest] = args(String(port))
  const server = spawn(file, rest, { cwd: folder, stdio: ['ignore', log, log], detached: true })
  servers.push(server)
  const url = `http://127.0.0.1:${port}/loop-apps/${APP}/execute`
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await answers(url)) return { url }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`${name} does not answer: ${readFileSync(path.join(folder, 'log'), 'utf8').slice(-2000)}`)
}

async function answers(url) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ input: INPUT }),
    })
    return response.ok
  } catch {
    return false
  }
}

function load(url) {
  const script = path.join(folder, 'post.lua')
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '${JSON.stringify({ input: INPUT })}'
done = function(summary, latency)
  io.write(string.format('{"requests":%d,"us":%d,"failed":%d,"p50":%f,"p99":%f}\\n', summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`,
  )
  const said = command(folder, 'wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}`, '-s', script, url])
  const { requests, us, failed, p50, p99 } = JSON.parse(said.trim().split('\n').at(-1))
  if (failed > 0) throw new Error(`${failed} requests to ${url} failed`)
  return { perSecond: requests / (us / 1e6), p50, p99 }
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A server and the processes that it has started. */
function kill(server) {
  try {
    process.kill(-server.pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}
