// Full load for a long time: whether memory, descriptors and processes of `loopai serve` stay as they were, and whether every answer is in the
// dataset exactly once. `node bench/soak.mjs [seconds]`; needs /proc. Ends with status 1 when an answer is missing or twice there, or failed.
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { median, table } from './measure.mjs'
import { APP, openServers } from './servers.mjs'

const SECONDS = Number(process.argv[2] ?? 600)
const WINDOW_MS = Math.min(60, SECONDS / 3) * 1000
const ASK = fileURLToPath(new URL('ask.mjs', import.meta.url))

if (!existsSync('/proc/self/fd')) {
  console.log('skipped: there is no /proc on this machine')
  process.exit(0)
}

const servers = openServers()
try {
  const contender = servers.loopaiServer()
  const { port, server } = await servers.start(contender, { isLogged: false })
  const answered = path.join(servers.folder, 'answered')
  const samples = await sampleWhileAsked(server.pid, port, answered)
  const status = await stop(server)
  const found = await compare(answered, path.join(contender.data, 'loop-apps', APP, 'datasets', 'executions'))
  report(samples, { ...found, status, failed: samples.at(-1).failed })
} finally {
  servers.close()
}

/** A sample whenever the one who asks reports. */
async function sampleWhileAsked(pid, port, answered) {
  const asking = spawn(process.execPath, [ASK, String(port), String(SECONDS), answered], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise(resolve => asking.on('exit', resolve))
  const since = performance.now()
  const samples = []
  for await (const line of createInterface(asking.stdout)) {
    samples.push({ at: performance.now() - since, ...JSON.parse(line), ...measure(pid) })
  }
  const status = await ended
  if (status !== 0) throw new Error(`the asking ended with status ${status}`)
  return samples
}

/** The server and all that it has started. */
function measure(pid) {
  const parents = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // After the name of the program, which may hold anything: its state and its parent.
    const stat = readOrNothing(`/proc/${name}/stat`)
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const tree = [pid]
  for (const parent of tree) for (const [child, its] of parents) if (its === parent) tree.push(child)
  const megabytes = process_ =>
    Number(/VmRSS:\s+(\d+)/.exec(readOrNothing(`/proc/${process_}/status`))?.[1] ?? 0) / 1024
  return {
    memory: megabytes(pid),
    workersMemory: tree.slice(1).reduce((sum, child) => sum + megabytes(child), 0),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    processes: tree.length,
  }
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function stop(server) {
  return new Promise(resolve => {
    server.on('exit', resolve)
    server.kill('SIGTERM')
  })
}

/** Sorted on the disk, so that millions of ids need no memory here. */
async function compare(answered, folder) {
  const recorded = `${answered}.recorded`
  const ids = createWriteStream(recorded)
  for (const name of readdirSync(folder)) {
    const file = await open(path.join(folder, name))
    for await (const line of file.readLines()) {
      const id = /^\{"execution_id":"([\w-]{36})"/.exec(line)?.[1] ?? 'not a record'
      if (!ids.write(`${id}\n`)) await new Promise(resolve => ids.once('drain', resolve))
    }
  }
  await new Promise(resolve => ids.end(resolve))
  for (const file of [answered, recorded]) shell('sort -S 64M -o "$1" "$1"', file)
  const count = (script, ...files) => Number(shell(`${script} | wc -l`, ...files))
  return {
    answers: count('cat "$1"', answered),
    missing: count('comm -23 "$1" "$2"', answered, recorded),
    twice: count('uniq -d "$1"', recorded),
    repeated: count('uniq -d "$1"', answered),
  }
}

function shell(script, ...args) {
  return execFileSync('sh', ['-c', script, 'sh', ...args], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
}

function report(samples, { answers, missing, twice, repeated, failed, status }) {
  const first = samples.filter(one => one.at <= WINDOW_MS)
  const last = samples.filter(one => one.at > samples.at(-1).at - WINDOW_MS)
  const row = (name, key, digits = 0) => {
    const of = some => median(some.map(one => one[key])).toFixed(digits)
    const highest = Math.max(...samples.map(one => one[key])).toFixed(digits)
    return [name, of(first), of(last), highest]
  }
  const span = `${Math.round(WINDOW_MS / 1000)} s`
  console.log(
    `${SECONDS} s, ${os.cpus().length} cores, load ${os.loadavg()[0].toFixed(1)}, Node ${process.version}. Medians.\n`,
  )
  console.log(
    table(
      ['', `first ${span}`, `last ${span}`, 'highest'],
      [
        row('answers a second', 'perSecond'),
        row('p50 ms', 'p50', 2),
        row('p99 ms', 'p99', 2),
        row('memory of the server, MB', 'memory'),
        row('memory of its processes, MB', 'workersMemory'),
        row('descriptors', 'descriptors'),
        row('processes', 'processes'),
      ],
    ),
  )
  console.log(
    `\n${answers} answers, ${failed} failed; ${missing} are missing in the dataset, ${twice} are there twice, ${repeated} ids were answered twice. The server ended with ${status}.`,
  )
  if (failed + missing + twice + repeated > 0 || status !== 0) process.exitCode = 1
}
