// What writing and reading the data directory costs, small and large: against plain git, and against plain Node reading the same files.
// `node bench/store.mjs [rounds] [apps]`
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, interleave, milliseconds, ratio, table } from './measure.mjs'

const rounds = Number(process.argv[2] ?? 5)
const many = Number(process.argv[3] ?? 10_000)
const bin = fileURLToPath(new URL('../bin/loopai.js', import.meta.url))
const folder = mkdtempSync(path.join(os.tmpdir(), 'loopai-bench-'))
const person = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
}
const env = { ...person, LOOPAI_CACHE_DIR: path.join(folder, 'cache') }
const PROGRAM = "def execute(input_data):\n    return 'ham'\n"

/** What `list` and `show` have to know of each app: its active link, its history and its manifests, read and parsed once. */
const READ_ALL = `
const fs = require('node:fs'), path = require('node:path')
const apps = path.join(process.argv[1], 'loop-apps')
for (const app of fs.readdirSync(apps)) {
  const artifacts = path.join(apps, app, 'artifacts')
  fs.readlinkSync(path.join(artifacts, 'active'))
  const history = fs.readFileSync(path.join(apps, app, 'history.jsonl'), 'utf8')
  for (const line of history.split('\\n')) if (line) JSON.parse(line)
  for (const name of fs.readdirSync(artifacts)) {
    if (/^v\\d+$/.test(name)) JSON.parse(fs.readFileSync(path.join(artifacts, name, 'manifest.json'), 'utf8'))
  }
}`

const SPEC = `
task: Is it spam?
input_schema: {type: object, properties: {text: {type: string}}}
output_schema: {type: string, enum: [spam, ham]}
`

try {
  const seed = makeSeed()
  const rows = [...(await writes(seed, 1)), ...(await writes(seed, many)), ...(await reads(seed))]
  process.stdout.write(`${table(['', 'loopai', 'against', 'ratio'], rows)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** One app with one version, made by the real commands; its files are what all the others are copied from. */
function makeSeed() {
  const root = path.join(folder, 'seed')
  mkdirSync(root)
  writeFileSync(path.join(root, 'program.py'), PROGRAM)
  writeFileSync(path.join(root, 'spec.yaml'), SPEC)
  loopai(root, ['create', 'app-00000', '--from', 'spec.yaml'])
  loopai(root, ['add', 'app-00000', 'program.py'])
  loopai(root, ['promote', 'app-00000'])
  return path.join(root, 'loopai-data')
}

async function writes(seed, apps) {
  const root = copies(seed, `of-${apps}`, apps)
  const peer = copies(seed, `peer-of-${apps}`, apps)
  const name = apps === 1 ? '1 app' : `${apps.toLocaleString('en')} apps × 8 files`
  const [add, promote, git] = await interleave(
    [
      { run: round => addVersion(root, round) },
      { run: () => loopai(root, ['promote', 'app-00000', '-q']) },
      { run: round => plainCommit(peer, round) },
    ],
    rounds,
  )
  const against = `node -e 0, git add, git commit: ${milliseconds(git)}`
  return [
    [`promote, ${name}`, milliseconds(promote), against, ratio(promote, git)],
    [`add with its checks in the sandbox, ${name}`, milliseconds(add), against, ratio(add, git)],
  ]
}

function addVersion(root, round) {
  const file = path.join(root, 'program.py')
  writeFileSync(file, `${PROGRAM}# ${round}\n`)
  loopai(root, ['add', 'app-00000', file, '-q'])
}

function plainCommit(root, round) {
  const version = path.join('loop-apps', 'app-00000', 'artifacts', `w${round + 2}`)
  mkdirSync(path.join(root, version))
  writeFileSync(path.join(root, version, 'program.py'), `${PROGRAM}# ${round}\n`)
  command(root, process.execPath, ['-e', '0'])
  command(root, 'git', ['add', version], { env })
  command(root, 'git', ['commit', '--quiet', '--message', `${round}`, '--', version], { env })
}

async function reads(seed) {
  const root = path.join(folder, `of-${many}`)
  const deep = copies(seed, 'deep', 1)
  manyVersions(deep, 1000)
  const [first, again, plain, show, plainShow] = await interleave(
    [
      {
        run: () => {
          rmSync(path.join(env.LOOPAI_CACHE_DIR, 'summaries'), { recursive: true, force: true })
          loopai(root, ['list', '--json'])
        },
      },
      { run: () => loopai(root, ['list', '--json']) },
      { run: () => command(root, process.execPath, ['-e', READ_ALL, root]) },
      { run: () => loopai(deep, ['show', 'app-00000', '--json']) },
      { run: () => command(deep, process.execPath, ['-e', READ_ALL, deep]) },
    ],
    rounds,
  )
  const count = many.toLocaleString('en')
  const against = time => `plain Node reading and parsing those files: ${milliseconds(time)}`
  return [
    [`list, ${count} apps, the first time`, milliseconds(first), against(plain), ratio(first, plain)],
    [`list, ${count} apps, nothing changed`, milliseconds(again), against(plain), ratio(again, plain)],
    ['show, 1,000 versions', milliseconds(show), against(plainShow), ratio(show, plainShow)],
  ]
}

function copies(seed, name, count) {
  const root = path.join(folder, name)
  const source = path.join(seed, 'loop-apps', 'app-00000')
  const files = filesBelow(source).map(file => [path.relative(source, file), readFileSync(file, 'utf8')])
  const active = readlinkSync(path.join(source, 'artifacts', 'active'))
  mkdirSync(root)
  for (const file of ['loopai.yaml', '.gitattributes', '.gitignore']) {
    writeFileSync(path.join(root, file), readFileSync(path.join(seed, file)))
  }
  for (let i = 0; i < count; i++) {
    const id = `app-${String(i).padStart(5, '0')}`
    const app = path.join(root, 'loop-apps', id)
    for (const [file, text] of [...files, ['datasets/examples/one.jsonl', ''], ['NOTES.md', id]]) {
      mkdirSync(path.dirname(path.join(app, file)), { recursive: true })
      writeFileSync(path.join(app, file), text.replaceAll('app-00000', id))
    }
    symlinkSync(active, path.join(app, 'artifacts', 'active'))
  }
  command(root, 'git', ['init', '--quiet'])
  command(root, 'git', ['config', 'gc.auto', '0'])
  command(root, 'git', ['add', '--all'], { env })
  command(root, 'git', ['commit', '--quiet', '--message', 'all'], { env })
  return root
}

function manyVersions(root, count) {
  const artifacts = path.join(root, 'loop-apps', 'app-00000', 'artifacts')
  const manifest = JSON.parse(readFileSync(path.join(artifacts, 'v1', 'manifest.json'), 'utf8'))
  for (let version = 2; version <= count; version++) {
    mkdirSync(path.join(artifacts, `v${version}`))
    writeFileSync(path.join(artifacts, `v${version}`, 'program.py'), PROGRAM)
    writeFileSync(
      path.join(artifacts, `v${version}`, 'manifest.json'),
      JSON.stringify({ ...manifest, version }, null, 2),
    )
  }
}

function filesBelow(place) {
  return readdirSync(place, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
}

function loopai(cwd, args) {
  return command(cwd, process.execPath, [bin, ...args], { env })
}
