// Runs the benchmarks one after the other and prints their tables. `npm run bench [-- --save] [name …]`: --save also writes bench/RESULTS.md.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

const BENCHMARKS = {
  startup: 'What starting costs',
  workers: 'Running programs',
  batch: 'A batch of messages',
  crashes: 'Inputs that crash, hang or eat memory',
  store: 'Writing and reading the data directory',
  serve: 'Answering over HTTP',
  offered: 'Answering in time',
  accuracy: 'How good the learned programs are',
}

const args = process.argv.slice(2)
const names = args.filter(arg => arg in BENCHMARKS)
const chosen = Object.keys(BENCHMARKS).filter(name => names.length === 0 || names.includes(name))
const parts = [
  `# Results\n\n${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} × ${os.cpus()[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.release().split('-')[0]}, Node ${process.versions.node}.
Ratios of medians from interleaved rounds on a shared machine: read the ratios, not the times.\n`,
]
process.stdout.write(parts[0])
for (const name of chosen) {
  const file = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
  if (!existsSync(file)) continue
  const { status, stdout } = spawnSync(process.execPath, [file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  })
  const result = status === 0 ? stdout.trim() : `(ended with status ${status})`
  parts.push(`## ${BENCHMARKS[name]}\n\n\`node bench/${name}.mjs\`\n\n${result}\n`)
  process.stdout.write(`\n${parts.at(-1)}`)
  if (status !== 0) process.exitCode = 1
}
if (args.includes('--save')) writeFileSync(new URL('RESULTS.md', import.meta.url), parts.join('\n'))
