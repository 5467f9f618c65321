import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const SRC = path.resolve(import.meta.dirname, '../src')

/** Folders by row: a file may import from its own folder and from rows below. `src/` itself, where the entries are, comes first. */
const ROWS = [
  ['commands'],
  ['terminal', 'server'],
  ['actions'],
  ['store', 'workers', 'runtimes', 'sandboxes', 'generators', 'oracles'],
  ['domain'],
]

/** The only files in the top folder that anybody below may import. */
const SHARED = ['package.ts']

/** Who may use what is not ours. */
const GUARDED: { name: string; module: RegExp; by: RegExp }[] = [
  { name: 'prompts and colours', module: /^(@inquirer\/|chalk$)/, by: /^terminal\// },
  { name: 'git libraries', module: /^simple-git$/, by: /^store\/upstream/ },
  { name: 'the terminal library', module: /^commander$/, by: /^(cli\.ts|commands\/)/ },
  { name: 'YAML', module: /^js-yaml$/, by: /^(store|actions)\// },
  {
    name: 'processes',
    module: /^(node:child_process|execa)$/,
    // Programs run in workers/. Beside them there are git, and the agent that a person has agreed to run on this machine.
    by: /^(workers\/|store\/git\.ts|generators\/command\.ts)/,
  },
  { name: 'threads', module: /^node:worker_threads$/, by: /^(generators\/learn|workers)\// },
]

interface Import {
  from: string
  /** A file of ours, relative to `src/`, or the name of a module. */
  to: string
  isOurs: boolean
  isType: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter(name => /\.ts$/.test(name) && !name.endsWith('.d.ts'))
  .sort()
const imports = files.flatMap(importsOf)
const ours = imports.filter(({ isOurs }) => isOurs)

function importsOf(from: string): Import[] {
  const text = readFileSync(path.join(SRC, from), 'utf8')
  const statements =
    /(?:^|\n)(?:import|export)\s+(type\s)?(?:[^'"\n]*?\{[^}]*\}[^'"\n]*|[^'"{}\n]*?)\s*from\s*'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g
  return [...text.matchAll(statements)].map(match => {
    const specifier = (match[2] ?? match[3] ?? match[4])!
    const isOurs = specifier.startsWith('.')
    const to = isOurs ? path.normalize(path.join(path.dirname(from), specifier)) : specifier
    return { from, to, isOurs, isType: match[1] !== undefined }
  })
}

function folderOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : ''
}

function rowOf(file: string): number {
  const folder = folderOf(file)
  return folder === '' ? -1 : ROWS.findIndex(row => row.includes(folder))
}

function isDownward({ from, to }: Import): boolean {
  if (SHARED.includes(to) || folderOf(from) === folderOf(to)) return true
  return folderOf(to) !== '' && rowOf(from) < rowOf(to)
}

const arrow = ({ from, to }: Import) => `${from} -> ${to}`

test('every folder of src/ has its row', () => {
  const folders = new Set(files.map(folderOf).filter(Boolean))
  expect([...folders].filter(folder => !ROWS.flat().includes(folder))).toEqual([])
})

test('imports are found', () => {
  expect(ours.length).toBeGreaterThan(files.length)
  expect(ours.map(arrow)).toContain('commands/exec.ts -> actions/executor.ts')
  expect(ours.map(arrow)).toContain('commands/index.ts -> commands/exec.ts')
})

test('imports point down, or stay inside a folder', () => {
  expect(ours.filter(one => !isDownward(one)).map(arrow)).toEqual([])
})

describe('only some may use', () => {
  test.each(GUARDED)('$name', ({ module, by }) => {
    const used = imports.filter(({ to, isOurs }) => !isOurs && module.test(to))
    expect(used.filter(({ from }) => !by.test(from)).map(arrow)).toEqual([])
  })
})

test('domain knows no input, no output and no clock', () => {
  const pure = /^(node:(crypto|util)|canonicalize|fastest-levenshtein|ajv)$/
  const used = imports.filter(
    ({ from, isOurs, to }) => from.startsWith('domain/') && !isOurs && !pure.test(to),
  )
  expect(used.map(arrow)).toEqual([])
  const impure = files.filter(
    file =>
      file.startsWith('domain/') &&
      /\bDate\.now\(|new Date\(\)|Math\.random\(|\bprocess\./.test(
        readFileSync(path.join(SRC, file), 'utf8'),
      ),
  )
  expect(impure).toEqual([])
})

test('an action prints nothing, asks nothing and ends nothing', () => {
  const loud = files.filter(
    file =>
      /^(actions|store|domain|workers|generators|runtimes|sandboxes)\//.test(file) &&
      /\bconsole\.|process\.(stdout|stderr|exit)\b/.test(readFileSync(path.join(SRC, file), 'utf8')),
  )
  expect(loud).toEqual([])
})

test('nothing imports itself in a circle', () => {
  const next = new Map(
    files.map(file => [file, ours.filter(one => one.from === file && !one.isType).map(({ to }) => to)]),
  )
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, way: string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '))
    if (done.has(file) || way.includes(file)) return
    for (const to of next.get(file) ?? []) visit(to, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})
