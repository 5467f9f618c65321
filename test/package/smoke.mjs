// Packs the project, installs the tarball elsewhere, locally and globally, and lets it do its main job. Run by .ci/run on one more Node.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai smoke '))
const env = {
  ...process.env,
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}
try {
  const packed = run(project, 'npm', ['pack', '--silent', '--pack-destination', folder])
    .trim()
    .split('\n')
    .at(-1)
  const tarball = path.join(folder, packed)
  const consumer = path.join(folder, 'consumer')
  mkdirSync(consumer)
  writeFileSync(path.join(consumer, 'package.json'), '{"name": "consumer", "type": "module"}')
  run(consumer, 'npm', ['install', '--silent', '--no-audit', '--no-fund', tarball])
  const local = path.join(consumer, 'node_modules', '.bin', 'loopai')
  run(folder, 'npm', [
    'install',
    '--silent',
    '--no-audit',
    '--no-fund',
    '--global',
    '--prefix',
    path.join(folder, 'global'),
    tarball,
  ])
  const global = path.join(folder, 'global', 'bin', 'loopai')

  const types = path.join(consumer, 'node_modules', 'loopai', 'dist', 'types', 'index.d.ts')
  assert.ok(existsSync(types), 'the declarations are missing')
  assert.equal(run(folder, global, ['--version']), run(consumer, local, ['--version']))
  run(consumer, local, ['create', 'sentiment-analyzer-001'])
  run(consumer, local, ['generate', 'sentiment-analyzer-001'])
  run(consumer, local, ['promote', 'sentiment-analyzer-001'])
  const input = '{"feedback": "I love it, thank you so much"}'
  assert.equal(run(consumer, global, ['exec', 'sentiment-analyzer-001'], input), '"positive"\n')
  const script =
    "import { createWorkspace, list } from 'loopai'\nconsole.log((await list(createWorkspace()))[0].active_version)"
  assert.equal(run(consumer, process.execPath, ['--input-type=module', '-e', script]), '1\n')
  process.stdout.write(`the tarball works on Node ${process.version}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run(cwd, command, args, input = '') {
  return execFileSync(command, args, {
    cwd,
    env,
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}
