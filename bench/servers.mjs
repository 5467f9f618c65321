// Servers that the benchmarks ask: `loopai serve` with the small classifier, and a bare Node server that only echoes JSON.
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLASSIFIER } from './classifier.mjs'
import { command } from './measure.mjs'

export const APP = 'spam-detector-001'
export const INPUT = {
  text: 'Congratulations you win a free prize, call now before the meeting to get your money',
  sender: 'a@example.com',
}
const BIN = fileURLToPath(new URL('../bin/loopai.js', import.meta.url))

const ECHO = `import { createServer } from 'node:http'
createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { input } = JSON.parse(Buffer.concat(chunks).toString())
    const text = JSON.stringify({ output: input })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  })
}).listen(Number(process.argv[2]), '127.0.0.1')
`

/** A temporary folder, and the servers that are started in it. Whoever opens it closes it. */
export function openServers() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
  const log = openSync(path.join(folder, 'log'), 'a')
  const servers = []

  /** A data directory with one promoted app. `args` makes a server's command from a port. */
  function loopaiServer() {
    const spec = path.join(folder, 'spec.yaml')
    writeFileSync(path.join(folder, 'classifier.py'), CLASSIFIER)
    writeFileSync(
      spec,
      `loop_app_id: ${APP}
task: Classify
input_schema: {type: object, properties: {text: {type: string}, sender: {type: string}}, required: [text]}
output_schema: {type: string, enum: [spam, ham]}
`,
    )
    const data = path.join(folder, 'data')
    const person = { GIT_AUTHOR_NAME: 'Bench', GIT_AUTHOR_EMAIL: 'bench@example.com' }
    const env = { ...person, GIT_COMMITTER_NAME: 'Bench', GIT_COMMITTER_EMAIL: 'bench@example.com' }
    const loopai = (...args) => command(folder, process.execPath, [BIN, '-C', data, ...args], { env })
    command(folder, process.execPath, [BIN, 'init', data], { env })
    loopai('create', APP, '--from', spec)
    loopai('add', APP, path.join(folder, 'classifier.py'))
    loopai('promote', APP, 'v1', '--force', '-m', 'for the benchmark')
    const args = port => [process.execPath, BIN, '-C', data, 'serve', '--port', port]
    return { name: 'loopai serve', data, args }
  }

  function echoServer() {
    writeFileSync(path.join(folder, 'echo.mjs'), ECHO)
    return { name: 'bare node:http echo', args: port => [process.execPath, 'echo.mjs', port] }
  }

  /** Starts one, and waits until it answers. What it logs is kept, unless that would be too much. */
  async function start({ name, args }, { isLogged = true } = {}) {
    const port = await freePort()
    const [file, ...rest] = args(String(port))
    const server = spawn(file, rest, {
      cwd: folder,
      stdio: ['ignore', log, isLogged ? log : 'ignore'],
      detached: true,
    })
    servers.push(server)
    const url = `http://127.0.0.1:${port}/loop-apps/${APP}/execute`
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await answers(url)) return { url, port, server }
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    throw new Error(`${name} does not answer: ${readFileSync(path.join(folder, 'log'), 'utf8').slice(-2000)}`)
  }

  function close() {
    for (const server of servers) kill(server)
    rmSync(folder, { recursive: true, force: true })
  }

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      close()
      process.exit(130)
    })
  }
  return { folder, loopaiServer, echoServer, start, close }
}

async function answers(url) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ input: INPUT }),
    })
    return response.ok
  } catch {
    return false
  }
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** A server and the processes that it has started. */
function kill(server) {
  try {
    process.kill(-server.pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}
