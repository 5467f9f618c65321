import { LoopaiError } from '../domain/errors.ts'
import { DEFAULT_LIMITS } from '../domain/launch.ts'
import type { Sources } from '../domain/sources.ts'
import { packageFile } from '../package.ts'
import { runtimes } from '../runtimes/index.ts'
import { sandboxes } from '../sandboxes/index.ts'
import { createPool } from '../workers/pool.ts'
import { chooseSandbox } from './choose-sandbox.ts'
import { findInterpreter } from './find-interpreter.ts'

const LIMITS = { ...DEFAULT_LIMITS, timeout_ms: 10_000, input_kb: 8 * 1024, output_kb: 8 * 1024 }

/** What the interpreter itself makes of Python files, which it parses in the sandbox and does not run. */
export async function readSources(
  files: Record<string, string>,
  { unsandboxed = false }: { unsandboxed?: boolean | undefined } = {},
): Promise<Sources> {
  const runtime = (await runtimes.python()).default
  const interpreter = await findInterpreter(runtime)
  const sandbox = unsandboxed ? (await sandboxes.none()).default : await chooseSandbox(runtime, interpreter)
  const launch = runtime.launch(interpreter, {
    directory: packageFile('templates', 'harness'),
    inside: '/loopai-data/loop-apps/imports/draft',
    entry: 'imports.py',
    limits: LIMITS,
    isolation: 'shared',
  })
  const pool = createPool({ launch: sandbox.confine(launch), limits: LIMITS })
  try {
    const reply = await pool.run(files)
    // The script is ours, and what it returns is of this form.
    if (reply.kind === 'ok') return reply.value as Sources
    return { problems: [`the interpreter cannot parse it: ${reply.message}`], imports: [] }
  } catch (error) {
    if (!(error instanceof LoopaiError) || error.code !== 'INPUT_TOO_LARGE') throw error
    return { problems: ['there is more than 8 MB of source code'], imports: [] }
  } finally {
    await pool.close()
  }
}
