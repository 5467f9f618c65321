import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  BIN,
  environment,
  loopai,
  type Parsed,
  prepared,
  succeed,
  traces,
  writeFiles,
} from '../helpers/cli.ts'
import { runGit } from '../helpers/repository.ts'
import { findTiers } from '../helpers/tiers.ts'
import { hasPip, makeSource, makeWheel } from '../helpers/wheels.ts'

const ID = 'shout-001'
const PROGRAM = 'import shouting\ndef execute(value):\n    return shouting.shout(value["text"])\n'
const isMissing = !hasPip()
const { works } = await findTiers(['bubblewrap', 'landlock'])

/** An active version that needs `shouting`, which needs `loudness`; wheels of both, and of a later `loudness`. */
const prepare = prepared(async folder => {
  const wheels = path.join(folder, 'wheels')
  mkdirSync(wheels)
  const needs = ['loudness<2']
  const source = 'import loudness\ndef shout(text):\n    return text.upper() + loudness.MARK\n'
  makeWheel(wheels, { name: 'shouting', needs, source })
  makeWheel(wheels, { name: 'loudness', source: 'MARK = "!"\n' })
  makeWheel(wheels, { name: 'loudness', version: '2.0', source: 'MARK = "?"\n' })
  writeFiles(folder, {
    'rows.jsonl': '{"input":{"text":"hello"},"output":"HELLO!"}\n{"input":{"text":"you"},"output":"YOU!"}\n',
    'draft/program.py': PROGRAM,
    'draft/requirements.txt': '# what shouts\nshouting>=1\n',
  })
  const place = placeAt(folder, path.join(folder, 'data'))
  await succeed(folder, ['init', 'data'])
  const schema = ['--output-schema', '{"type":"string"}']
  await place.succeed(['create', ID, '--task', 'Shout it', '--examples', 'rows.jsonl', ...schema])
  await place.succeed(['add', ID, 'draft'])
  await place.succeed(['promote', ID, '--force', '-m', 'first'])
})

interface Place {
  folder: string
  data: string
  cache: string
  artifacts: string
  env: Record<string, string>
  run: (args: string[], env?: Record<string, string>) => ReturnType<typeof loopai>
  succeed: (args: string[], env?: Record<string, string>) => Promise<string>
}

/** The place where the version was made, or rather a copy of it: what was agreed to there is agreed to anew. */
async function open(): Promise<Place> {
  const folder = await prepare()
  const place = placeAt(folder, path.join(folder, 'data'))
  await place.succeed(['trust', '--yes'])
  return place
}

/** Another machine, as far as Loopai can tell, when the cache and what was agreed to are others. */
function placeAt(folder: string, data: string, name = 'one'): Place {
  const cache = path.join(folder, `cache-${name}`)
  const env = {
    LOOPAI_CACHE_DIR: cache,
    LOOPAI_CONFIG_DIR: path.join(folder, `config-${name}`),
    LOOPAI_INSTALLER: 'pip',
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: pathToFileURL(path.join(folder, 'wheels')).href,
  }
  const artifacts = path.join(data, 'loop-apps', ID, 'artifacts')
  const all = (args: string[]) => ['-C', data, ...args]
  return {
    ...{ folder, data, cache, artifacts, env },
    run: (args, more) => loopai(folder, all(args), { env: { ...env, ...more } }),
    succeed: (args, more) => succeed(folder, all(args), { env: { ...env, ...more } }),
  }
}

/** A clone of a place with an active version, on another machine. */
async function cloneOf(place: Place): Promise<Place> {
  runGit(place.folder, 'clone', '--quiet', place.data, 'clone')
  return placeAt(place.folder, path.join(place.folder, 'clone'), 'two')
}

/** Begins to install, and comes back when there is something of it in the cache. */
async function startPreparing({ data, env, cache }: Place) {
  const child = spawn(process.execPath, [BIN, '-C', data, 'prepare'], {
    env: environment(env),
    stdio: 'ignore',
  })
  const environments = path.join(cache, 'environments')
  while (!existsSync(environments) || readdirSync(environments).length === 0)
    await new Promise(resolve => setTimeout(resolve, 5))
  return { child, environments }
}

const ask = ['exec', ID, '{"text":"hey"}']
const errorOf = (text: string): Parsed => JSON.parse(text.trim().split('\n').at(-1)!).error

describe.skipIf(isMissing)(`requirements.txt${isMissing ? ' (this Python has no pip)' : ''}`, () => {
  test('becomes a lock in the version, and an environment outside of git', async () => {
    const place = await open()
    const lock = readFileSync(path.join(place.artifacts, 'v1/requirements.lock'), 'utf8')
    expect(lock).toMatch(/^# Locked by Loopai from requirements\.txt \(sha256:[0-9a-f]{64}\) for any\.\n/)
    expect(
      lock
        .replaceAll(/[0-9a-f]{64}/g, '…')
        .split('\n')
        .slice(1),
    ).toEqual(['loudness==1.0 \\', '    --hash=sha256:…', 'shouting==1.0 \\', '    --hash=sha256:…', ''])
    const manifest = JSON.parse(readFileSync(path.join(place.artifacts, 'v1/manifest.json'), 'utf8'))
    expect(manifest.dependencies).toEqual([{ type: 'packages', from: 'index', lock: 'requirements.lock' }])
    expect(runGit(place.data, 'status', '--porcelain')).toBe('')
    const [environment] = readdirSync(path.join(place.cache, 'environments'))
    const module = path.join(place.cache, 'environments', environment!, 'packages/shouting.py')
    expect(statSync(module).mode & 0o222).toBe(0)
    expect(await place.succeed([`show`, `${ID}@v1`])).toMatch(/packages +loudness 1\.0, shouting 1\.0\n/)
  })

  test.each(works)('is what a program imports in %s', async tier => {
    const place = await open()
    const env = { LOOPAI_SANDBOX: tier }
    expect(await place.succeed(ask, env)).toBe('"HEY!"\n')
    const probe = `
import os, shouting
def execute(value):
    folder = os.path.dirname(shouting.__file__)
    try:
        open(os.path.join(folder, "shouting.py"), "a")
        return "wrote"
    except OSError:
        return shouting.shout(value["text"])
`
    writeFileSync(path.join(place.folder, 'draft/program.py'), probe)
    await place.succeed(['add', ID, 'draft'], env)
    expect(await place.succeed(['exec', `${ID}@v2`, '{"text":"hey"}'], env)).toBe('"HEY!"\n')
  })

  test('works with isolation: request', async () => {
    const place = await open()
    const config = path.join(place.data, 'loop-apps', ID, 'config.yaml')
    writeFileSync(config, `${readFileSync(config, 'utf8')}isolation: request\n`)
    await place.succeed(['add', ID, 'draft'])
    expect(await place.succeed(['exec', `${ID}@v2`, '{"text":"hey"}'])).toBe('"HEY!"\n')
  })

  test('is also what an agent leaves, whose program may import what it names', async () => {
    const place = await open()
    const agent = path.join(place.folder, 'agent.mjs')
    const files = { 'program.py': PROGRAM, 'requirements.txt': 'shouting\n' }
    const write = `for (const [name, text] of Object.entries(${JSON.stringify(files)})) fs.writeFileSync(name, text)`
    writeFileSync(agent, `import fs from 'node:fs'\n${write}\n`)
    const config = path.join(place.data, 'loop-apps', ID, 'config.yaml')
    const command = JSON.stringify([process.execPath, agent])
    const settings = `generator: {use: command, command: ${command}}\nprivacy: {external: full}\n`
    writeFileSync(config, readFileSync(config, 'utf8') + settings)
    await place.succeed(['trust', '--yes'])
    const generated = JSON.parse(await place.succeed(['generate', ID, '--json']))
    expect(generated.checks).toContainEqual({
      name: 'imports',
      outcome: 'pass',
      message: 'it imports only the standard library, its packages and its own files',
    })
    expect(await place.succeed(['exec', `${ID}@v2`, '{"text":"hey"}'])).toBe('"HEY!"\n')
  })

  test('keeps its lock while it stays what it is', async () => {
    const place = await open()
    const lock = (number: number) =>
      readFileSync(path.join(place.artifacts, `v${number}/requirements.lock`), 'utf8')
    makeWheel(path.join(place.folder, 'wheels'), {
      name: 'loudness',
      version: '1.1',
      source: 'MARK = "!!"\n',
    })
    writeFileSync(path.join(place.folder, 'draft/program.py'), `# another\n${PROGRAM}`)
    await place.succeed(['add', ID, 'draft'])
    expect(lock(2)).toBe(lock(1))
    writeFileSync(path.join(place.folder, 'draft/requirements.txt'), 'shouting\n')
    await place.succeed(['add', ID, 'draft'])
    expect(lock(3)).toContain('loudness==1.1')
  })

  test.each([
    ['--index-url https://example.com', /requirements\.txt:1: .* is not a package/],
    ['shouting @ file:///tmp/shouting', /is not a package/],
    ['-e .', /is not a package/],
    ['shouting\n./local', /requirements\.txt:2/],
  ])('says %j, and is refused', async (text, message) => {
    const place = await open()
    writeFileSync(path.join(place.folder, 'draft/requirements.txt'), `${text}\n`)
    const before = traces(place.data)
    const { status, stderr } = await place.run(['add', ID, 'draft', '--json'])
    expect(status).toBe(2)
    expect(errorOf(stderr)).toMatchObject({
      code: 'INVALID_REQUIREMENTS',
      message: expect.stringMatching(message),
    })
    expect(traces(place.data)).toEqual(before)
  })

  test('builds nothing, also when a wheel asks for an address', async () => {
    const place = await open()
    const [source, marker] = ['evil-1.0.tar.gz', 'built'].map(name => path.join(place.folder, name))
    makeSource(source!, 'evil', marker!)
    const needs = [`evil @ ${pathToFileURL(source!).href}`]
    makeWheel(path.join(place.folder, 'wheels'), { name: 'lure', needs, source: '' })
    writeFileSync(path.join(place.folder, 'draft/requirements.txt'), 'lure\n')
    const { stderr } = await place.run(['add', ID, 'draft', '--json'])
    expect(existsSync(marker!)).toBe(false)
    expect(errorOf(stderr)).toMatchObject({
      code: 'PACKAGES_FAILED',
      message: expect.stringMatching(/wheels for .*\n.*not a wheel/s),
    })
  })

  test.each(['\f', '\v', '\x1c', '\x85'])(
    'has a lock whose comments end where pip ends lines: %j',
    async end => {
      const place = await open()
      const [source, marker] = ['evil-1.0.tar.gz', 'built'].map(name => path.join(place.folder, name))
      makeSource(source!, 'evil', marker!)
      const hash = createHash('sha256').update(readFileSync(source!)).digest('hex')
      const lock = readFileSync(path.join(place.artifacts, 'v1/requirements.lock'), 'utf8')
      const hidden = `# ${end}evil @ ${pathToFileURL(source!).href} --hash=sha256:${hash}\n`
      writeFileSync(path.join(place.folder, 'draft/requirements.lock'), lock + hidden)
      await place.succeed(['add', ID, 'draft'])
      expect(existsSync(marker!)).toBe(false)
      expect(await place.succeed(['exec', `${ID}@v2`, '{"text":"hey"}'])).toBe('"HEY!"\n')
    },
  )

  test('names what there is no wheel of, and nothing is kept', async () => {
    const place = await open()
    writeFileSync(path.join(place.folder, 'draft/requirements.txt'), 'shouting\nwhispering>=3\n')
    const before = traces(place.data)
    const { status, stderr } = await place.run(['add', ID, 'draft', '--json'])
    expect(status).toBe(8)
    expect(errorOf(stderr)).toMatchObject({
      code: 'PACKAGES_FAILED',
      message: expect.stringMatching(/wheels for cpython.*whispering>=3/),
      details: { refusal: 'no-wheel' },
    })
    expect(traces(place.data)).toEqual(before)
    expect(readdirSync(path.join(place.cache, 'environments'))).toHaveLength(1)
  })

  test('without network says what is missing', async () => {
    const place = await open()
    writeFileSync(path.join(place.folder, 'draft/requirements.txt'), 'shouting\n')
    const { stderr } = await place.run(['add', ID, 'draft', '--json'], {
      PIP_NO_INDEX: '',
      PIP_FIND_LINKS: '',
      PIP_CONFIG_FILE: '/dev/null',
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_RETRIES: '1',
    })
    expect(errorOf(stderr)).toMatchObject({
      code: 'PACKAGES_FAILED',
      message: expect.stringMatching(/cannot be reached.*shouting\n/s),
      details: { refusal: 'network' },
    })
  })
})

describe.skipIf(isMissing)('a fresh clone', () => {
  test('installs nothing by itself, and says what to type', async () => {
    const clone = await cloneOf(await open())
    const { status, stdout, stderr } = await clone.run([...ask, '--json'])
    expect({ status, stdout }).toEqual({ status: 8, stdout: '' })
    expect(errorOf(stderr)).toMatchObject({
      code: 'ENVIRONMENT_MISSING',
      message: expect.stringMatching(/^v1 of shout-001 needs packages .*: loudness==1\.0, shouting==1\.0$/),
      hint: `loopai prepare ${ID}@v1`,
    })
    expect(existsSync(path.join(clone.cache, 'environments'))).toBe(false)
    const diagnosis = await clone.run(['doctor', '--json'])
    expect(JSON.parse(diagnosis.stdout).findings).toMatchObject([
      { kind: 'environment', loop_app_id: ID, fix: `loopai prepare ${ID}` },
    ])
  })

  test('prepares what somebody has agreed to', async () => {
    const clone = await cloneOf(await open())
    const refused = await clone.run(['prepare', '--json'])
    expect(refused.status).toBe(2)
    expect(errorOf(refused.stderr)).toMatchObject({
      code: 'NOT_TRUSTED',
      hint: `read it, and agree with: loopai trust ${ID} --packages`,
    })
    const unread = await clone.run(['trust', ID, '--packages'])
    expect(unread.stderr).toContain(`agree with: loopai trust ${ID} --packages --yes`)
    expect(await clone.succeed(['trust', '--packages', '--yes'])).toMatch(
      /asks to install loudness==1\.0, shouting==1\.0 \(sha256:/,
    )
    const prepared = JSON.parse(await clone.succeed(['prepare', '--json']))
    expect(prepared).toEqual({
      changed: true,
      versions: [
        { loop_app_id: ID, version: 1, packages: ['loudness==1.0', 'shouting==1.0'], changed: true },
      ],
    })
    expect(await clone.succeed(ask)).toBe('"HEY!"\n')
    expect(JSON.parse(await clone.succeed(['prepare', '--json'])).changed).toBe(false)
  })

  test('takes only what has the hash of the lock', async () => {
    const place = await open()
    const clone = await cloneOf(place)
    makeWheel(path.join(place.folder, 'wheels'), { name: 'loudness', source: 'MARK = "evil"\n' })
    await clone.succeed(['trust', '--yes'])
    const { status, stderr } = await clone.run(['prepare', '--json'])
    expect(status).toBe(7)
    expect(errorOf(stderr)).toMatchObject({ code: 'INTEGRITY', message: expect.stringContaining('loudness') })
    expect(readdirSync(path.join(clone.cache, 'environments'))).toEqual([])
  })

  test('does not follow a link in the place of a lock', async () => {
    const clone = await cloneOf(await open())
    const lock = path.join(clone.artifacts, 'v1/requirements.lock')
    renameSync(lock, path.join(clone.folder, 'elsewhere'))
    symlinkSync(path.join(clone.folder, 'elsewhere'), lock)
    for (const args of [['trust', '--yes'], ['prepare'], ask]) {
      const { status, stderr } = await clone.run([...args, '--json'])
      expect({ args, status, ...errorOf(stderr) }).toMatchObject({ args, status: 7, code: 'INTEGRITY' })
    }
  })

  test('with a dependency that is none has a broken manifest', async () => {
    const clone = await cloneOf(await open())
    const file = path.join(clone.artifacts, 'v1/manifest.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...manifest, dependencies: [null] }))
    const { stderr } = await clone.run(['trust', '--yes', '--json'])
    expect(errorOf(stderr)).toMatchObject({
      code: 'INTEGRITY',
      message: expect.stringContaining('/dependencies/0'),
    })
  })

  test('copies no packages of a version that nobody has agreed to', async () => {
    const clone = await cloneOf(await open())
    const { stderr } = await clone.run(['add', ID, '--from', `${ID}@v1`, '--json'])
    expect(errorOf(stderr)).toMatchObject({ code: 'NOT_TRUSTED' })
  })

  test('is prepared by two at once, and by one after another was killed', async () => {
    const place = await open()
    const clone = await cloneOf(place)
    await clone.succeed(['trust', '--yes'])
    const { child, environments } = await startPreparing(clone)
    child.kill('SIGKILL')
    await new Promise(resolve => child.on('close', resolve))
    expect(readdirSync(environments).filter(name => !name.startsWith('.tmp-'))).toEqual([])
    await Promise.all([clone.succeed(['prepare']), clone.succeed(['prepare'])])
    expect(readdirSync(environments).filter(name => !name.startsWith('.tmp-'))).toHaveLength(1)
    expect(await clone.succeed(ask)).toBe('"HEY!"\n')
  })

  test('is left clean by Ctrl-C', async () => {
    const place = await open()
    const clone = await cloneOf(place)
    await clone.succeed(['trust', '--yes'])
    const { child, environments } = await startPreparing(clone)
    child.kill('SIGINT')
    const status = await new Promise(resolve => child.on('close', resolve))
    expect(status).toBe(130)
    expect(readdirSync(environments)).toEqual([])
    rmSync(environments, { recursive: true })
  })
})
