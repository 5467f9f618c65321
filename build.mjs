// Builds dist/: the validators of our own file formats as code, then the bundles, then (--types) the declarations.
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path, { basename } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { build } from 'esbuild'

const SCHEMAS = new URL('templates/schemas/', import.meta.url)
const COMPILED = new URL('src/domain/compiled/', import.meta.url)

/** For the CommonJS packages among those that are bundled: `require` in the files that use it. */
const BANNER =
  "import { createRequire as createRequireHere } from 'node:module';const require = createRequireHere(import.meta.url);"

await compileValidators()
await bundle()
if (process.argv.includes('--types')) declarations()

async function compileValidators() {
  const ajv = new Ajv2020.default({
    allErrors: true,
    strict: true,
    strictTypes: false,
    // Errors carry the schema that they fail, whose properties are what a mistyped key is compared with.
    verbose: true,
    code: { source: true, esm: true },
  })
  const exported = {}
  for (const file of (await readdir(SCHEMAS)).sort()) {
    const schema = JSON.parse(await readFile(new URL(file, SCHEMAS), 'utf8'))
    ajv.addSchema(schema)
    const name = file.replace('.schema.json', '').replace(/-(.)/g, (_, letter) => letter.toUpperCase())
    exported[name] = schema.$id
  }
  const { outputFiles } = await build({
    stdin: { contents: standaloneCode.default(ajv, exported), resolveDir: '.' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  })
  await mkdir(COMPILED, { recursive: true })
  await writeFile(new URL('validators.js', COMPILED), outputFiles[0].text)
  const type = "import type { ValidateFunction } from 'ajv'\n"
  const lines = Object.keys(exported).map(name => `export const ${name}: ValidateFunction<unknown>\n`)
  await writeFile(new URL('validators.d.ts', COMPILED), type + lines.join(''))
}

async function bundle() {
  // Not dist/types: npm runs `prepare` after `prepack`, which has written them.
  await rm('dist/chunks', { recursive: true, force: true })
  const { outputFiles } = await build({
    entryPoints: {
      cli: 'src/cli.ts',
      index: 'src/index.ts',
      'train-worker': 'src/generators/learn/train-worker.ts',
    },
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    legalComments: 'linked',
    // Less to read at every start. Names stay, so that a stack says where it was.
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: BANNER },
    write: false,
    logLevel: 'warning',
  })
  await mkdir('dist/chunks', { recursive: true })
  const files = new Map(outputFiles.map(({ path, text }) => [path, text.replace(BANNER, '')]))
  for (const [path, text] of await merged(files)) {
    await writeFile(path, path.endsWith('.js') && /\brequire\b/.test(text) ? BANNER + text : text)
  }
  // One file for browsers: no chunks, and nothing of Node.
  await build({
    entryPoints: ['src/client.ts'],
    outdir: 'dist',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  })
}

/**
 * What several commands share, in three files instead of fifty: Node takes a millisecond or two for every module, whatever its size. One is
 * for the threads of the learner too, one is what the command line begins with, one is the rest. Returns the files as they are then.
 */
async function merged(files) {
  const named = name => [...files.keys()].find(path => path.endsWith(`/${name}`))
  const importsOf = path => staticImports(files.get(path)).map(({ name }) => named(name))
  const reached = (path, found = new Set()) => {
    for (const next of importsOf(path)) if (!found.has(next)) reached(next, found.add(next))
    return found
  }
  const cli = files.get(named('cli.js'))
  const commands = [...cli.matchAll(/\bimport\("[^"]*\/([^"/]+)"\)/g)].map(([, name]) => reached(named(name)))
  const ofThreads = reached(named('train-worker.js'))
  const ofStart = reached(named('cli.js'))
  const groups = { base: [], start: [], core: [] }
  for (const path of files.keys()) {
    const users = commands.filter(used => used.has(path)).length
    if (!/\/chunk-[^/]+\.js$/.test(path)) continue
    if (ofThreads.has(path) && users > 0) groups.base.push(path)
    else if (ofStart.has(path)) groups.start.push(path)
    else if (users > 1) groups.core.push(path)
  }
  const places = new Map()
  for (const [name, paths] of Object.entries(groups)) {
    paths.forEach((path, i) => {
      places.set(basename(path), { group: `${name}.js`, prefix: `m${i}_` })
    })
  }
  const result = new Map([...files].filter(([path]) => !places.has(basename(path))))
  for (const [name, paths] of Object.entries(groups)) {
    const text = await mergedText(files, paths, places)
    result.set(path.resolve(`dist/chunks/${name}.js`), text)
  }
  return new Map(
    [...result].map(([path, text]) => [path, path.endsWith('.js') ? redirected(text, places) : text]),
  )
}

/** The chunks as one module, which exports what each of them does under a name of its own. */
async function mergedText(files, paths, places) {
  const own = new Map(paths.map(path => [basename(path), files.get(path)]))
  const contents = [...own].map(([name, text]) => {
    const { prefix } = places.get(name)
    const names = exportsOf(text).map(one => `${one} as ${prefix}${one}`)
    return `import "./${name}"; export { ${names.join(', ')} } from "./${name}";`
  })
  const { outputFiles } = await build({
    stdin: { contents: contents.join('\n'), resolveDir: '.' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    write: false,
    plugins: [
      {
        name: 'chunks',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /./ }, ({ path: asked, kind }) => {
            const name = basename(asked)
            const isOwn = kind !== 'dynamic-import' && asked.startsWith('.') && own.has(name)
            return isOwn ? { path: name, namespace: 'chunk' } : { path: asked, external: true }
          })
          onLoad({ filter: /./, namespace: 'chunk' }, ({ path: name }) => ({ contents: own.get(name) }))
        },
      },
    ],
  })
  return outputFiles[0].text
}

/** Imports from chunks that were merged, as imports from what they are in now: one of each. */
function redirected(text, places) {
  const moved = new Map()
  let rest = text
  for (const { whole, name, names } of staticImports(text)) {
    const place = places.get(name)
    if (!place) continue
    const from = `${whole.includes('"./chunks/') ? './chunks/' : './'}${place.group}`
    const renamed = names.map(one => place.prefix + (one.includes(' as ') ? one : `${one} as ${one}`))
    moved.set(from, [...(moved.get(from) ?? []), ...renamed])
    rest = rest.replace(whole, '')
  }
  const imports = [...moved].map(
    ([from, names]) => `import${names.length > 0 ? `{${names}}from` : ''}"${from}";`,
  )
  return imports.join('') + rest
}

/** Imports of chunks in a file that esbuild has written. */
function staticImports(text) {
  const found = []
  const pattern = /(?<=^|[;}\n])(import(?:\{([^}]*)\}from)?"\.[^"]*?([^"/]+)";)/g
  for (const [, whole, names = '', name] of text.matchAll(pattern)) {
    found.push({ whole, name, names: names.split(',').filter(Boolean) })
  }
  return found
}

function exportsOf(text) {
  const names = /export\{([^}]*)\};?\s*(?:\/\*[\s\S]*?\*\/\s*)?$/.exec(text)?.[1] ?? ''
  return names
    .split(',')
    .map(one => one.split(' as ').at(-1))
    .filter(Boolean)
}

function declarations() {
  const options = [
    '--noEmit',
    'false',
    '--declaration',
    '--emitDeclarationOnly',
    '--outDir',
    'dist/types',
    '--rootDir',
    'src',
  ]
  execFileSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', ...options, '-p', 'tsconfig.build.json'],
    { stdio: 'inherit' },
  )
}
