// What inputs cost the others on which a program crashes, hangs or eats memory: 1 % of a batch, against the same batch without them, from
// interleaved rounds. `node bench/crashes.mjs [rounds] [inputs]`
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CLASSIFIER } from './classifier.mjs'
import { interleave, load, milliseconds, ratio, table } from './measure.mjs'

const rounds = Number(process.argv[2] ?? 5)
const count = Number(process.argv[3] ?? 5000)
const WORKERS = 2
const TIMEOUT_MS = 200
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
process.env.LOOPAI_CACHE_DIR = path.join(folder, 'cache')

const TROUBLE = `
import os, time
judge = execute
def execute(given):
    what = given['text'].partition(' ')[0]
    if what == 'exit': os._exit(1)
    if what == 'abort': os.abort()
    if what == 'hang': time.sleep(60)
    if what == 'eat': return bytearray(1 << 40)
    return judge(given)
`
const PROGRAMS = {
  'a small classifier': CLASSIFIER + TROUBLE,
  'ten times its work': `${CLASSIFIER}\nonce = execute\ndef execute(given):\n    return [once(given) for _ in range(10)][0]\n${TROUBLE}`,
}
const TEXT = 'Congratulations you win a free prize, call now before the meeting to get your money, urgent'
const limits = { timeout_ms: TIMEOUT_MS, load_ms: 10_000, memory_mb: 128, output_kb: 1024, input_kb: 1024 }

try {
  const { openPool } = await load('crashes', `export { openPool } from './src/actions/open-pool.ts'`)
  const rows = []
  for (const [name, code] of Object.entries(PROGRAMS)) {
    const directory = path.join(folder, name, 'loop-apps', 'bench-001', 'artifacts', 'v1')
    mkdirSync(directory, { recursive: true })
    writeFileSync(path.join(directory, 'program.py'), code)
    const place = { loopAppId: 'bench-001', version: 1, directory, runtime: 'python', entry: 'program.py' }
    const pool = await openPool(place, { limits, size: WORKERS })
    const kinds = ['none', 'exit', 'abort', 'eat', 'hang']
    const times = await interleave(
      kinds.map(what => ({ run: () => batch(pool, what) })),
      rounds,
    )
    await pool.close()
    // While one worker waits for the end of an input that hangs, it can do nothing else: its limit and 100 ms of grace are not to be had back.
    const hanging = ((count / 100) * (TIMEOUT_MS + 100)) / WORKERS
    for (const [i, what] of kinds.entries()) {
      const own = what === 'hang' ? times[i] - hanging : times[i]
      rows.push([name, what, milliseconds(times[i]), ratio(times[i], times[0]), ratio(own, times[0])])
    }
  }
  const head = [
    `1 % of ${count.toLocaleString('en')} inputs`,
    'do this',
    'time',
    'times the batch without',
    'without the waiting itself',
  ]
  process.stdout.write(`${table(head, rows)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function batch(pool, what) {
  const isBad = index => what !== 'none' && index % 100 === 50
  const inputs = Array.from({ length: count }, (_, index) => ({
    text: `${isBad(index) ? what : 'fine'} ${TEXT} ${index}`,
  }))
  const since = performance.now()
  const replies = await pool.runMany(inputs)
  const taken = performance.now() - since
  const lost = replies.filter(({ kind }, index) => (kind === 'ok') === isBad(index))
  if (lost.length > 0 || replies.length !== count) throw new Error(`${what}: ${lost.length} are wrong`)
  return taken
}
