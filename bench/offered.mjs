// Which rate of requests is answered in time: requests are offered at fixed times, whatever the answers do, at rising rates, until twice in
// a row one in a hundred takes longer than 10 ms from when it was due. `loopai serve` (sandboxed, validated, recorded, logged) beside a bare Node server.
//   node bench/offered.mjs [rounds] [seconds] [rate,…]
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { median, table } from './measure.mjs'
import { openServers } from './servers.mjs'

const ROUNDS = Number(process.argv[2] ?? 3)
const SECONDS = Number(process.argv[3] ?? 5)
const RATES = (process.argv[4] ?? '500,1000,1500,2000,3000,4000,5000,6000,8000,10000').split(',').map(Number)
const MOST_MS = 10
const OFFER = fileURLToPath(new URL('offer.mjs', import.meta.url))

const servers = openServers()
try {
  const contenders = []
  for (const contender of [servers.loopaiServer(), servers.echoServer()]) {
    const { name } = contender
    contenders.push({ name, ...(await servers.start(contender)), kept: 0, misses: 0 })
  }
  // Neither has to compile anything while it is measured.
  for (const { port } of contenders) offer(port, 500, 3)
  const rows = []
  for (const rate of RATES) {
    const measured = new Map(contenders.filter(one => one.misses < 2).map(one => [one, []]))
    if (measured.size === 0) break
    for (let round = 0; round < ROUNDS; round++) {
      for (const [{ port }, results] of measured) results.push(offer(port, rate, SECONDS))
    }
    for (const [one, results] of measured) {
      const of = key => median(results.map(result => result[key]))
      const failed = results.reduce((sum, result) => sum + result.failed + result.lost, 0)
      const isKept = failed === 0 && of('p99') < MOST_MS
      if (isKept) one.kept = rate
      one.misses = isKept ? 0 : one.misses + 1
      const figures = [Math.round(of('answered')), of('p50').toFixed(2), of('p99').toFixed(2), failed]
      rows.push([one.name, rate, ...figures, `${Math.round(of('cpu') * 100)} %`])
    }
  }
  const head = ['server', 'offered a second', 'answered', 'p50 ms', 'p99 ms', 'failed', 'the asking took']
  console.log(
    `${ROUNDS} interleaved rounds of ${SECONDS} s, medians; ${os.cpus().length} cores, load ${os.loadavg()[0].toFixed(1)}, Node ${process.version}\n`,
  )
  console.log(table(head, rows))
  console.log()
  for (const { name, kept } of contenders)
    console.log(`- ${name}: p99 stayed below ${MOST_MS} ms at ${kept} a second`)
} finally {
  servers.close()
}

/** From a process of its own. */
function offer(port, rate, seconds) {
  const said = execFileSync(process.execPath, [OFFER, String(port), String(rate), String(seconds)], {
    encoding: 'utf8',
  })
  return JSON.parse(said)
}
