// Tries, as an ordinary program, what no program may be able to do. Answers with what it could do: an empty list is a pass. The input is
// that of probe.py. Whatever an attempt throws means that it was refused.
import { spawn, spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

const SELF = fileURLToPath(import.meta.url)
const PATIENCE_MS = 1000

export async function execute(given) {
  const attempts = {
    'read a file outside': () => fs.readFileSync(given.canary),
    'read /etc/passwd': () => fs.readFileSync('/etc/passwd'),
    'see the home directory': () => strangerIn(given.home, given.mounts),
    'see the root directory': () => strangerIn('/', given.mounts),
    'write beside itself': () => fs.writeFileSync(`${SELF}.written`, ''),
    'change itself': () => fs.openSync(SELF, 'r+'),
    'change the mode of a file outside': () => fs.chmodSync(given.canary, 0o600),
    'change the owner of a file outside': () =>
      fs.chownSync(given.canary, process.getuid(), process.getgid()),
    'change the times of a file outside': () => fs.utimesSync(given.canary, 1, 1),
    'empty a file outside': () => fs.truncateSync(given.canary),
    'empty a file outside by opening it': () =>
      fs.openSync(given.canary, fs.constants.O_RDONLY | fs.constants.O_TRUNC),
    'rename a file outside': () => fs.renameSync(given.canary, `${given.canary}.renamed`),
    'change its own mode': () => fs.chmodSync(SELF, fs.statSync(SELF).mode),
    'write to /tmp': () => fs.writeFileSync('/tmp/loopai-probe', ''),
    'write to the root directory': () => fs.writeFileSync('/loopai-probe', ''),
    'write to /dev': () => fs.writeFileSync('/dev/loopai-probe', ''),
    'see the environment': () =>
      expect(Object.keys(process.env).some(name => name !== 'PWD' && !given.environment.includes(name))),
    'connect to this machine': () => connect({ host: '127.0.0.1', port: given.port }),
    'listen for connections': () => opened(net.createServer().listen(0, '127.0.0.1'), 'listening'),
    'send a datagram': () => opened(dgram.createSocket('udp4').bind(0), 'listening'),
    'start a program': () => opened(spawn(process.execPath, ['--version'], { stdio: 'ignore' }), 'spawn'),
    'start a program and wait': () => expect(!spawnSync(process.execPath, ['--version']).error),
    'signal its parent': () => process.kill(process.ppid || 1, 0) && expect(process.pid !== 1),
    'signal other processes': () => process.kill(-1, 0),
    'change priorities': () => os.setPriority(process.pid, -5),
    'read /proc': () => fs.readdirSync('/proc'),
  }
  const done = []
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt()
      done.push(name)
    } catch {
      // Refused.
    }
  }
  if (given.ownProcesses && process.pid !== 1) done.push('see other processes')
  return done
}

function expect(breached) {
  if (!breached) throw new Error('refused')
}

function connect(where) {
  return opened(net.connect(where), 'connect')
}

function opened(emitter, event) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS).unref()
    emitter.once(event, resolve)
    emitter.once('error', reject)
  })
}

/** Sees something in a folder that is not on the way to what was mounted. */
function strangerIn(folder, mounts) {
  const paths = fs.readdirSync(folder).map(name => `${folder === '/' ? '' : folder}/${name}`)
  expect(paths.some(path => !mounts.some(mount => `${mount}/`.startsWith(`${path}/`))))
}
