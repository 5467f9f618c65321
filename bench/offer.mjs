// Offers requests to a port at fixed times, whatever the answers do, and prints one line of JSON: `node bench/offer.mjs <port> <rate> <seconds>`.
// A request that finds no free connection waits for one. Its time is counted from when it was due, so that a server that stops for a while
// is not asked less meanwhile. The first second warms up, and does not count.
import { isOk, openConnections, requestTo } from './requests.mjs'

const [port, rate, seconds] = process.argv.slice(2).map(Number)
const CONNECTIONS = 128
const WARM_MS = 1000
/** What is not answered so long after the last request was due counts as lost. */
const LAST_MS = 3000

const bytes = requestTo(port)
const total = Math.round((rate * (WARM_MS + seconds * 1000)) / 1000)
const times = new Float64Array(total)
let counted = 0
let failed = 0
let sent = 0
let done = 0
let isOver = false

const free = await openConnections(port, CONNECTIONS, {
  answered(connection, answer) {
    done++
    if (connection.dueAt >= start + WARM_MS) {
      if (isOk(answer)) times[counted++] = performance.now() - connection.dueAt
      else failed++
    }
    const dueAt = start + (sent * 1000) / rate
    if (sent < total && dueAt <= performance.now()) send(connection, dueAt)
    else free.push(connection)
    if (done === total) finish()
  },
  failed(_, error) {
    if (!isOver) throw error
  },
})

const start = performance.now() + 50
const clock = setInterval(() => {
  const now = performance.now()
  for (; sent < total && free.length > 0; ) {
    const dueAt = start + (sent * 1000) / rate
    if (dueAt > now) return
    send(free.pop(), dueAt)
  }
  if (now > start + (total * 1000) / rate + LAST_MS) finish()
}, 1)

function send(connection, dueAt) {
  sent++
  connection.dueAt = dueAt
  connection.send(bytes)
}

function finish() {
  isOver = true
  clearInterval(clock)
  const sorted = times.subarray(0, counted).sort()
  const at = part => sorted[Math.min(counted - 1, Math.floor(counted * part))] ?? null
  const lost = total - done
  console.log(
    JSON.stringify({
      answered: counted / seconds,
      failed,
      lost,
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
      // How much of a core the asking took.
      cpu: process.cpuUsage().user / 1e6 / (seconds + 1),
    }),
  )
  process.exit(0)
}
