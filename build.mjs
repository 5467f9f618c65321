// Builds dist/: the validators of our own file formats as code, then the bundles, then (--types) the declarations.
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
  for (const { path, text } of outputFiles) {
    const body = text.replace(BANNER, '')
    await writeFile(path, /\brequire\b/.test(body) ? text : body)
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
