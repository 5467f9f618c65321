// How fast workers are, as ratios to a bare interpreter on the same machine, from interleaved rounds. `node bench/workers.mjs [rounds]`
import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CLASSIFIER } from './classifier.mjs'
import { load } from './measure.mjs'

const ROUNDS = Number(process.argv[2] ?? 5)
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
process.env.LOOPAI_CACHE_DIR = path.join(folder, 'cache')

const PROGRAMS = {
  'next to nothing': 'def execute(given):\n    return {"result": given["text"][:3]}\n',
  'a small classifier': CLASSIFIER,
}
const TEXT = 'Congratulations you win a free prize, call now before the meeting to get your money, urgent'
const INPUTS = Array.from({ length: 40_000 }, (_, index) => ({
  text: `${TEXT} ${index}`,
  sender: 'a@example.com',
}))
const BARE_LOOP = `
import json, sys, time
sys.path.insert(0, sys.argv[1])
import program
start = time.perf_counter()
with open(sys.argv[3], 'w') as out:
    for line in open(sys.argv[2]):
        out.write(json.dumps(program.execute(json.loads(line))) + '\\n')
print(time.perf_counter() - start)
`

// What no call can beat: the same channel, an interpreter that parses a line and answers with a constant.
const ECHO = `
import json, os
for line in os.fdopen(3, 'rb', 1 << 16):
    os.write(3, b'{"n":"%s","ok":true,"out":null}\\n' % json.loads(line)['n'].encode())
`

try {
  const { openPool, interpreter } = await load(
    'workers',
    `export { openPool } from './src/actions/open-pool.ts'
      import { findInterpreter } from './src/actions/find-interpreter.ts'
      import python from './src/runtimes/python.ts'
      export const interpreter = () => findInterpreter(python)`,
  )
  const python = (await interpreter()).executable
  const limits = { timeout_ms: 5000, load_ms: 10_000, memory_mb: 512, output_kb: 1024, input_kb: 1024 }
  const rows = []
  const echo = startEcho(python)
  for (const [name, code] of Object.entries(PROGRAMS)) {
    const directory = path.join(
      folder,
      name.replaceAll(' ', '-'),
      'loop-apps',
      'bench-001',
      'artifacts',
      'v1',
    )
    mkdirSync(directory, { recursive: true })
    writeFileSync(path.join(directory, 'program.py'), code)
    const lines = path.join(folder, 'inputs.jsonl')
    writeFileSync(lines, INPUTS.map(input => `${JSON.stringify(input)}\n`).join(''))
    const place = { loopAppId: 'bench-001', version: 1, directory, runtime: 'python', entry: 'program.py' }
    const open = (isolation, size = 1) => openPool({ ...place, isolation }, { limits, size })
    await (await open('shared')).close()
    const pools = {
      shared: await open('shared'),
      request: await open('request'),
      many: await open('shared', 2),
    }
    await pools.many.runMany(INPUTS.slice(0, 2000))
    const measured = {
      bareSeconds: [],
      chunkSeconds: [],
      shared: [],
      echo: [],
      request: [],
      kill: [],
      start: [],
      bareStart: [],
    }
    for (let round = 0; round < ROUNDS; round++) {
      measured.bareSeconds.push(
        Number(
          execFileSync(python, ['-c', BARE_LOOP, directory, lines, path.join(folder, 'out')], {
            encoding: 'utf8',
          }),
        ),
      )
      measured.chunkSeconds.push(await seconds(() => runAll(pools.many)))
      measured.shared.push(await median(2000, () => pools.shared.run(INPUTS[0])))
      measured.echo.push(await median(2000, () => echo.call(JSON.stringify(INPUTS[0]))))
      measured.request.push(await median(150, () => pools.request.run(INPUTS[0])))
      measured.kill.push(await killToGone(open, directory))
      measured.bareStart.push(await seconds(() => bareStart(python, directory)))
      measured.start.push(await seconds(async () => (await open('shared')).close()))
    }
    const of = key => middle(measured[key])
    rows.push(
      [`${name}: shared call p50`, `${(of('shared') * 1e6).toFixed(0)} µs`],
      [`${name}: shared call p50 / bare echo`, `${(of('shared') / of('echo')).toFixed(2)} ×`],
      [`${name}: forked call p50`, `${(of('request') * 1e3).toFixed(2)} ms`],
      [`${name}: chunks on two workers`, `${Math.round(INPUTS.length / of('chunkSeconds'))}/s`],
      [`${name}: bare loop`, `${Math.round(INPUTS.length / of('bareSeconds'))}/s`],
      [`${name}: chunks / bare loop`, `${(of('bareSeconds') / of('chunkSeconds')).toFixed(2)} ×`],
      [`${name}: start, call, close / bare interpreter`, `${(of('start') / of('bareStart')).toFixed(2)} ×`],
      [`${name}: kill to gone`, `${(of('kill') * 1e3).toFixed(1)} ms`],
      [`${name}: idle worker, private memory`, `${privateMegabytes().toFixed(1)} MB`],
    )
    for (const pool of Object.values(pools)) await pool.close()
  }
  echo.close()
  for (const [what, figure] of rows) console.log(what.padEnd(62), figure)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** As a batch does it: a few thousand at a time, the next ones ready before the last are done. */
async function runAll(pool) {
  const size = 4000
  const parts = []
  for (let from = 0; from < INPUTS.length; from += size) {
    if (parts.length >= 2) await parts.shift()
    parts.push(pool.runMany(INPUTS.slice(from, from + size)))
  }
  await Promise.all(parts)
}

async function seconds(job) {
  const since = performance.now()
  await job()
  return (performance.now() - since) / 1000
}

async function median(count, job) {
  const times = []
  for (let index = 0; index < count; index++) times.push(await seconds(job))
  return middle(times)
}

function middle(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

async function killToGone(open) {
  const pool = await open('shared')
  await pool.ready
  return seconds(() => pool.close())
}

function startEcho(python) {
  const child = spawn(python, ['-c', ECHO], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  const channel = child.stdio[3]
  let settle
  channel.on('data', line => settle(JSON.parse(line)))
  return {
    call(input) {
      return new Promise(resolve => {
        settle = resolve
        channel.write(`{"n":"${randomUUID()}","in":${input}}\n`)
      })
    },
    close: () => child.kill(),
  }
}

/** What no worker can beat: the interpreter loads the program, answers once and ends. */
function bareStart(python, directory) {
  const code =
    'import sys, json; sys.path.insert(0, sys.argv[1]); import program; print(json.dumps(program.execute({"text": "x"})))'
  return new Promise(resolve =>
    spawn(python, ['-c', code, directory], { stdio: 'ignore' }).on('close', resolve),
  )
}

/** Of all processes below this one that run a harness: the mean of what they share with nobody, supervisor and child together. */
function privateMegabytes() {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/))
  const below = new Set([String(process.pid)])
  for (let size = 0; size !== below.size; ) {
    size = below.size
    for (const [pid, parent] of rows) if (below.has(parent)) below.add(pid)
  }
  const harness = rows.filter(
    ([pid, , ...args]) => below.has(pid) && args.some(argument => argument.endsWith('runner.py')),
  )
  const kilobytes = harness.map(([pid]) => {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
      return [...text.matchAll(/^Private_\w+:\s+(\d+)/gm)].reduce(
        (sum, [, number]) => sum + Number(number),
        0,
      )
    } catch {
      return 0
    }
  })
  const workers = 4 // one shared, one request, two for chunks
  return kilobytes.reduce((sum, number) => sum + number, 0) / 1024 / workers
}
