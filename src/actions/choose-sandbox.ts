import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import type { Limits } from '../domain/launch.ts'
import { LOOPAI_VERSION, packageFile } from '../package.ts'
import type { Interpreter, Runtime } from '../runtimes/runtime.ts'
import { sandboxes } from '../sandboxes/index.ts'
import type { Sandbox, SandboxName } from '../sandboxes/sandbox.ts'
import { cacheFact, findFact, forgetFact } from '../store/cache.ts'
import { createPool } from '../workers/pool.ts'

const TIERS: SandboxName[] = os.platform() === 'darwin' ? ['seatbelt'] : ['bubblewrap', 'landlock']
const HARNESS = packageFile('templates', 'harness')
const LIMITS: Limits = { timeout_ms: 10_000, load_ms: 10_000, memory_mb: 256, output_kb: 64, input_kb: 64 }

/**
 * The strongest sandbox that has kept its promise on this machine in a live probe, or a refusal that says why there is none. The verdict is
 * remembered until something changes on which it depends.
 */
export async function chooseSandbox(runtime: Runtime, interpreter: Interpreter): Promise<Sandbox> {
  const tiers = await Promise.all(allowed().map(async name => (await sandboxes[name]()).default))
  const key = keyOf(runtime, interpreter, tiers)
  const known = findFact(factOf(runtime), key)
  const trusted = tiers.find(tier => tier.name === known)
  if (trusted) return trusted

  const reasons: string[] = []
  for (const tier of tiers) {
    const reason = await probe(tier, runtime, interpreter)
    if (!reason) {
      cacheFact(factOf(runtime), key, tier.name)
      return tier
    }
    reasons.push(`${tier.name}: ${reason}`)
  }
  const { obstacle } = interpreter
  if (obstacle) reasons.push(obstacle.message)
  const lines = ['No sandbox works on this machine', ...reasons]
  const first = obstacle ? `${obstacle.hint}; ` : ''
  throw new LoopaiError('NO_SANDBOX', lines.join('\n  '), {
    hint: `${first}install bubblewrap (\`apt-get install bubblewrap\`, \`dnf install bubblewrap\`, \`apk add bubblewrap\`), or run with --unsandboxed at your own risk`,
    details: { reasons },
  })
}

/** For when a start fails although a probe once passed. Says whether there was a verdict to forget. */
export function forgetSandbox(runtime: Runtime): void {
  forgetFact(factOf(runtime))
}

function allowed(): SandboxName[] {
  const forced = process.env.LOOPAI_SANDBOX
  if (!forced) return TIERS
  const tier = TIERS.find(name => name === forced)
  if (tier) return [tier]
  throw new LoopaiError('USAGE', `There is no sandbox "${forced}"`, {
    hint: `LOOPAI_SANDBOX is one of ${TIERS.join(', ')}`,
  })
}

function factOf(runtime: Runtime): string {
  return `sandbox-${runtime.name}`
}

function keyOf(runtime: Runtime, interpreter: Interpreter, tiers: Sandbox[]): string {
  const harness = createHash('sha256')
  for (const file of runtime.harness) harness.update(readFileSync(path.join(HARNESS, file)))
  return JSON.stringify([
    LOOPAI_VERSION,
    os.release(),
    bootId(),
    process.getuid?.(),
    interpreter,
    harness.digest('hex'),
    tiers.map(tier => [tier.name, tier.identity()]),
  ])
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Runs the probe exactly as any program is run. Says what it could do and must not, or why it did not run; nothing, when all is well. */
async function probe(
  sandbox: Sandbox,
  runtime: Runtime,
  interpreter: Interpreter,
): Promise<string | undefined> {
  const launch = runtime.launch(interpreter, {
    directory: HARNESS,
    inside: '/loopai-data/loop-apps/probe/artifacts/v1',
    entry: runtime.probe,
    limits: LIMITS,
    isolation: 'shared',
  })
  const obstacle = sandbox.obstacle(launch)
  if (obstacle) return obstacle
  const outside = await mkdtemp(path.join(os.tmpdir(), 'loopai-probe-'))
  const canary = path.join(await realpath(outside), 'canary')
  await writeFile(canary, 'nobody reads this')
  const listener = createServer(connection => connection.destroy())
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  const pool = createPool({ launch: sandbox.confine(launch), limits: LIMITS })
  try {
    const address = listener.address()
    const reply = await pool.run({
      canary,
      home: os.homedir(),
      port: typeof address === 'object' ? address?.port : undefined,
      environment: Object.keys(launch.env),
      mounts: [...launch.mounts.map(mount => mount.target), '/dev'],
      ownProcesses: sandbox.name === 'bubblewrap',
    })
    if (reply.kind !== 'ok') return sandbox.explain(reply.message)
    if (!Array.isArray(reply.value)) return 'the probe gave no answer'
    if (reply.value.length > 0) return `a program can ${reply.value.join(', ')}`
  } finally {
    await pool.close()
    listener.close()
    await rm(outside, { recursive: true, force: true })
  }
}
