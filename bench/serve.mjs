// Requests a second over HTTP, as ratios, from interleaved rounds: `loopai serve` (sandboxed, validated, recorded, logged) beside FastAPI and
// Flask that call the same function in their own process and write the same line, and a bare Node server that only echoes JSON.
//   node bench/serve.mjs [rounds] [seconds]     needs wrk; peers come from pip into a temporary environment, or from LOOPAI_BENCH_PYTHON
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { command, median, table } from './measure.mjs'
import { APP, INPUT, openServers } from './servers.mjs'

const ROUNDS = Number(process.argv[2] ?? 5)
const SECONDS = Number(process.argv[3] ?? 5)
const CONNECTIONS = 32

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

if (spawnSync('wrk', ['-v']).error) {
  console.log('skipped: there is no wrk on this machine (apt-get install wrk)')
  process.exit(0)
}

const servers = openServers()
const { folder } = servers
try {
  const contenders = []
  for (const contender of [
    servers.loopaiServer(),
    servers.echoServer(),
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
    else contenders.push({ ...contender, ...(await servers.start(contender)) })
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
  servers.close()
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
