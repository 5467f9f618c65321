/** Runs every attack in one setting, given as JSON in the first argument, and prints the verdicts as JSON. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { DEFAULT_LIMITS, type Isolation, type Launch } from '../../src/domain/launch.ts'
import type { Reply } from '../../src/domain/outcome.ts'
import python from '../../src/runtimes/python.ts'
import { createPool } from '../../src/workers/pool.ts'
import type { Attack } from './attacks.ts'
import { ATTACKS } from './attacks.ts'
import { type Protection, protections } from './protections.ts'

export interface Setting {
  protection: Protection
  isolation: Isolation
}

export interface Verdict {
  number: number
  name: string
  isBreach: boolean
  replies: string
}

const LIMITS = { ...DEFAULT_LIMITS, timeout_ms: 1500, memory_mb: 64 }
const SLOW = [28, 34, 35, 36, 37, 38, 61, 41, 44, 51]
const AT_ONCE = 12
const PREAMBLE = readFileSync(path.join(import.meta.dirname, 'preamble.py'), 'utf8')

const setting = JSON.parse(process.argv[2]!) as Setting
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-attacks-'))
process.env.LOOPAI_CACHE_DIR = path.join(folder, 'cache')
process.env.ATTACK_SECRET = 'SECRET'
const servers: Server[] = []
try {
  const interpreter = await findInterpreter(python)
  const world = await makeWorld()
  const verdicts: Verdict[] = []
  // Those that wait for a time limit first, so that nobody waits for them at the end.
  const queue = [...ATTACKS].sort((a, b) => Number(SLOW.includes(b.number)) - Number(SLOW.includes(a.number)))
  const lane = async () => {
    for (let attack = queue.shift(); attack; attack = queue.shift()) verdicts.push(await run(attack))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  process.stdout.write(JSON.stringify(verdicts.sort((a, b) => a.number - b.number)))

  async function run(attack: Attack): Promise<Verdict> {
    const directory = path.join(folder, String(attack.number), 'program')
    const daemon = `daemon-${attack.number}-${process.pid % 1000}`
    const limits = { ...LIMITS, ...attack.limits }
    const launch = protections[setting.protection](
      python.launch(interpreter, {
        directory,
        inside: '/loopai-data/loop-apps/attack-001/artifacts/v1',
        entry: 'program.py',
        limits,
        isolation: setting.isolation,
      }),
      folder,
    )
    writeProgram(directory, attack, constants(launch, daemon))
    const pool = createPool({ launch, limits })
    const replies: Reply[] = []
    try {
      for (const input of attack.inputs) replies.push(await pool.run(input))
    } finally {
      await pool.close()
    }
    return {
      number: attack.number,
      name: attack.name,
      isBreach: attack.isBreach(replies) || isRunning(daemon),
      replies: JSON.stringify(replies).slice(0, 600),
    }
  }

  function constants(launch: Launch, daemon: string): string {
    const visible = [...launch.mounts.map(mount => mount.target), '/dev', '/lib', '/proc', '/tmp']
    return Object.entries({ ...world, VISIBLE: visible, DAEMON: daemon })
      .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
      .join('')
  }
} finally {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

/** What lies outside and must not be reached. */
async function makeWorld() {
  const OUTSIDE = path.join(folder, 'data')
  const ABSTRACT = `loopai-attacks-${process.pid}`
  mkdirSync(OUTSIDE, { mode: 0o777 })
  writeFileSync(path.join(OUTSIDE, 'secret.json'), '{"secret": 1}')
  const tcp = createServer(connection => connection.on('error', () => {}).end('HELLO'))
  await listen(tcp, { host: '127.0.0.1', port: 0 })
  await listen(createServer(), { path: path.join(OUTSIDE, 'sock') })
  await listen(createServer(), { path: `\0${ABSTRACT}` })
  const OWN_PROCESSES = setting.protection === 'landlock' ? 0 : 1
  return { OUTSIDE, ABSTRACT, PORT: (tcp.address() as { port: number }).port, OWN_PROCESSES }
}

function listen(server: Server, where: object): Promise<void> {
  servers.push(server)
  return new Promise(resolve => server.listen(where, resolve))
}

function writeProgram(directory: string, attack: Attack, constants: string) {
  mkdirSync(directory, { recursive: true })
  const code = readFileSync(path.join(import.meta.dirname, 'programs', attack.file), 'utf8')
  writeFileSync(path.join(directory, 'program.py'), constants + PREAMBLE + code)
  if (attack.beside === 'links') {
    symlinkSync(path.join(folder, 'data', 'secret.json'), path.join(directory, 'link'))
    symlinkSync('/etc', path.join(directory, 'etc'))
    symlinkSync('../../data', path.join(directory, 'up'))
  }
  if (attack.beside === 'modules') {
    for (const name of ['json', 're', 'base64', 'sitecustomize', 'usercustomize'])
      writeFileSync(path.join(directory, `${name}.py`), 'import os\nEVIL = 1\nos.environ["EVIL"] = "1"\n')
  }
  if (attack.beside === 'pickle')
    writeFileSync(path.join(directory, 'model.pkl'), "cos\nsystem\n(S'true'\ntR.")
}

function isRunning(daemon: string): boolean {
  const names = execFileSync('ps', ['-eo', 'comm='], { encoding: 'utf8' }).split('\n')
  return names.some(name => name.startsWith(daemon))
}
