// Asks a port as fast as it answers, and keeps the id of every answer: `node bench/ask.mjs <port> <seconds> <file>`. Every five seconds it prints
// one line of JSON: answers a second, and their times.
import { createWriteStream } from 'node:fs'
import { isOk, openConnections, requestTo } from './requests.mjs'

const [port, seconds] = process.argv.slice(2, 4).map(Number)
const CONNECTIONS = 32
const REPORT_MS = 5000
const ID = Buffer.from('"execution_id":"')

const bytes = requestTo(port)
const ids = createWriteStream(process.argv[4])
let kept = []
let times = []
let failed = 0
let open = CONNECTIONS
let isOver = false

const connections = await openConnections(port, CONNECTIONS, {
  answered(connection, answer) {
    times.push(performance.now() - connection.dueAt)
    const at = answer.indexOf(ID) + ID.length
    if (isOk(answer)) kept.push(answer.latin1Slice(at, at + 36))
    else failed++
    if (kept.length >= 1000) write()
    if (isOver) close(connection)
    else ask(connection)
  },
  failed(_, error) {
    if (!isOver) throw error
  },
})

let since = performance.now()
for (const connection of connections) ask(connection)
const clock = setInterval(report, REPORT_MS)
setTimeout(() => {
  isOver = true
}, seconds * 1000)

function ask(connection) {
  connection.dueAt = performance.now()
  connection.send(bytes)
}

function close(connection) {
  connection.close()
  if (--open > 0) return
  clearInterval(clock)
  write()
  ids.end()
}

function write() {
  if (kept.length > 0) ids.write(`${kept.join('\n')}\n`)
  kept = []
}

function report() {
  const sorted = Float64Array.from(times).sort()
  const perSecond = (sorted.length * 1000) / (performance.now() - since)
  const at = part => sorted[Math.floor(sorted.length * part)]
  console.log(JSON.stringify({ perSecond, failed, p50: at(0.5), p99: at(0.99) }))
  times = []
  since = performance.now()
}
