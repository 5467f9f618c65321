// Builds dist/: the validators of our own file formats as code, then the bundles, then (--types) the declarations.
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import Ajv2020 from 'ajv/dist/2020.js'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { rolldown } from 'rolldown'

const SCHEMAS = new URL('templates/schemas/', import.meta.url)
const COMPILED = new URL('src/domain/compiled/', import.meta.url)

const TARGET = { transform: { target: 'node20.19' } }
/** Less to read at every start. Names stay, so that a stack says where it was. */
const MINIFY = { compress: true, mangle: false, codegen: { removeWhitespace: true } }

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
  await mkdir(COMPILED, { recursive: true })
  const source = new URL('source.js', COMPILED)
  await writeFile(source, standaloneCode.default(ajv, exported))
  await write(
    { input: source.pathname, platform: 'node' },
    { file: new URL('validators.js', COMPILED).pathname },
  )
  await rm(source)
  const type = "import type { ValidateFunction } from 'ajv'\n"
  const lines = Object.keys(exported).map(name => `export const ${name}: ValidateFunction<unknown>\n`)
  await writeFile(new URL('validators.d.ts', COMPILED), type + lines.join(''))
}

async function bundle() {
  // Not dist/types: npm runs `prepare` after `prepack`, which has written them.
  await rm('dist/chunks', { recursive: true, force: true })
  const input = {
    cli: 'src/cli.ts',
    index: 'src/index.ts',
    'train-worker': 'src/generators/learn/train-worker.ts',
  }
  await write(
    { input, platform: 'node', ...TARGET },
    { dir: 'dist', chunkFileNames: 'chunks/[name]-[hash].js', minify: MINIFY },
  )
  // One file for browsers: no chunks, and nothing of Node.
  await write(
    { input: 'src/client.ts', platform: 'browser', transform: { target: 'es2022' } },
    { file: 'dist/client.js' },
  )
}

async function write(input, output) {
  const bundle = await rolldown(input)
  await bundle.write({ format: 'esm', ...output })
  await bundle.close()
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
