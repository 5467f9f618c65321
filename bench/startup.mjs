// What starting costs: `loopai --help` against bare Node, and one `exec` against bare Node and then a bare sandboxed interpreter that loads
// and calls the same program, launched as loopai launches it.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bundle, interleave, milliseconds, ratio, table } from './measure.mjs'

const ROUNDS = Number(process.argv[2] ?? 30)
const APP = 'spam-detector-001'
const INPUT = '{"text": "Congratulations! Reply now to claim your free prize."}'
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = path.join(root, 'bin/loopai.js')
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-startup-'))
const identity = { NAME: 'Ada', EMAIL: 'ada@example.com' }
const env = { ...process.env, LOOPAI_CACHE_DIR: path.join(folder, 'cache') }
for (const [name, value] of Object.entries(identity)) {
  for (const role of ['AUTHOR', 'COMMITTER']) env[`GIT_${role}_${name}`] = value
}

try {
  for (const args of [
    ['create', APP],
    ['generate', APP],
    ['promote', APP],
  ])
    loopai(...args)
  const launch = await describeLaunch()
  const [bare, help, call, exec, unsandboxed] = await interleave(
    [
      { run: () => node('-e', '0') },
      { run: () => loopai('--help') },
      { run: () => callBare(launch) },
      { run: () => loopai('exec', APP, INPUT) },
      { run: () => loopai('exec', APP, INPUT, '--unsandboxed') },
    ],
    ROUNDS,
  )
  const rows = [
    ['`node -e 0`', milliseconds(bare), '', ''],
    ['`loopai --help`', milliseconds(help), '`node -e 0`', ratio(help, bare)],
    ['a sandboxed interpreter that loads and calls the program', milliseconds(call), '', ''],
    ['`loopai exec`, one input', milliseconds(exec), '`node -e 0`, then that', ratio(exec, bare + call)],
    ['the same with --unsandboxed', milliseconds(unsandboxed), '', ''],
    ['`loopai exec`, one input', milliseconds(exec), 'the same with --unsandboxed', ratio(exec, unsandboxed)],
  ]
  process.stdout.write(`${table(['what', 'median', 'against', 'times'], rows)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function node(...args) {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
}

function loopai(...args) {
  node(bin, ...args)
}

/** The launch of the program as loopai makes it, taken from its own sources. */
async function describeLaunch() {
  const contents = `
    import { findInterpreter } from './src/actions/find-interpreter.ts'
    import { chooseSandbox } from './src/actions/choose-sandbox.ts'
    import python from './src/runtimes/python.ts'
    import { DEFAULT_LIMITS as limits } from './src/domain/launch.ts'
    const interpreter = await findInterpreter(python)
    const sandbox = await chooseSandbox(python, interpreter)
    const inside = '/loopai-data/loop-apps/${APP}/artifacts/v1'
    const place = { directory: process.argv[2], inside, entry: 'program.py', limits, isolation: 'shared' }
    const launch = sandbox.confine(python.launch(interpreter, place))
    console.log(JSON.stringify({ ...launch, filter: launch.filter && Buffer.from(launch.filter).toString('base64') }))
  `
  const floor = await bundle('floor', contents)
  const directory = path.join(folder, 'loopai-data/loop-apps', APP, 'artifacts/v1')
  const launch = JSON.parse(execFileSync(process.execPath, [floor, directory], { env, encoding: 'utf8' }))
  return { ...launch, filter: launch.filter && Buffer.from(launch.filter, 'base64') }
}

/** Starts the interpreter, has it load the program, asks once and waits until it is gone. */
async function callBare({ command, args, env, runner, filter, renews }) {
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', filter ? 'pipe' : 'ignore', renews ? 'pipe' : 'ignore']
  const child = spawn(command, args, { cwd: '/', env, detached: true, stdio })
  const gone = once(child, 'close')
  for (const stream of child.stdio) stream?.on('error', () => {})
  child.stdio[4]?.end(filter)
  const channel = child.stdio[3]
  const frames = createInterface({ input: channel })[Symbol.asyncIterator]()
  const ask = async request => {
    channel.write(`${request}\n`)
    const { value } = await frames.next()
    if (!value?.includes('"ok":true') && !value?.includes('"ok": true'))
      throw new Error(`the program said ${value}`)
  }
  await ask(JSON.stringify({ n: randomUUID(), ...runner }))
  await ask(`{"n":"${randomUUID()}","in":${INPUT}}`)
  process.kill(-child.pid, 'SIGKILL')
  await gone
}
