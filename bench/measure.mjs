// What all benchmarks share: interleaved rounds, medians, Markdown tables.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { rolldown } from 'rolldown'

/** Runs every contender once a round, in turn, and returns the median of each one's milliseconds. `run` may return its own figure. */
export async function interleave(contenders, rounds) {
  const times = contenders.map(() => [])
  for (let round = -1; round < rounds; round++) {
    for (const [i, { run }] of contenders.entries()) {
      const since = performance.now()
      const own = await run(round)
      const taken = typeof own === 'number' ? own : performance.now() - since
      // The first round warms caches, and does not count.
      if (round >= 0) times[i].push(taken)
    }
  }
  return times.map(median)
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

export function table(head, rows) {
  const line = cells => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** `1.34` times, from two medians. */
export function ratio(a, b) {
  return (a / b).toFixed(2)
}

export function milliseconds(value) {
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`
}

/** Runs a command to its end and fails when it does. */
export function command(cwd, file, args, { env = {}, input = '' } = {}) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** Bundles a module out of the sources. `contents` has paths from the root. Returns the file, `<name>.mjs` in dist/bench. */
export async function bundle(name, contents) {
  const root = new URL('..', import.meta.url).pathname
  const source = path.join(root, `${name}.ts`)
  const file = path.join(root, 'dist', 'bench', `${name}.mjs`)
  const plugin = {
    name: 'contents',
    resolveId: id => (id === source ? id : undefined),
    load: id => (id === source ? contents : undefined),
  }
  const made = await rolldown({ input: source, platform: 'node', external: /^[^./]/, plugins: [plugin] })
  await made.write({ file, format: 'esm', codeSplitting: false })
  await made.close()
  return file
}

/** Bundles such a module and loads it. */
export async function load(name, contents) {
  return import(await bundle(name, contents))
}
