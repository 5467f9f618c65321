import { LoopaiError } from '../domain/errors.ts'
import { invalidInput, type Outcome, outcomeOf } from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Failure } from '../domain/outcome.ts'
import type { Behaviour, Version } from '../domain/version.ts'
import type { SandboxName } from '../sandboxes/sandbox.ts'
import type { LoopApp } from '../store/apps.ts'
import { compileSchema } from '../store/schemas.ts'
import { openPool, type ProgramPlace } from './open-pool.ts'

/** A program that answers inputs, held to its contract. Nothing is recorded. Whoever opens it closes it. */
export interface Program {
  sandbox: SandboxName
  /** Why the program cannot be loaded, if it cannot. */
  failure: Failure | undefined
  answer(input: unknown, options?: { timeoutMs?: number | undefined }): Promise<Outcome>
  close(): Promise<void>
}

export interface ProgramOptions {
  /** How many processes, at most. */
  size?: number
  timeoutMs?: number | undefined
  unsandboxed?: boolean | undefined
  /** No program is loaded before it resolves; when it rejects, so does `openProgram`. */
  gate?: Promise<unknown>
}

type Contract = Pick<Behaviour, 'input_schema' | 'output_schema' | 'limits'>

export async function openProgram(
  place: ProgramPlace,
  contract: Contract,
  { timeoutMs, ...options }: ProgramOptions = {},
): Promise<Program> {
  // The processes come up while the schemas are compiled.
  const opening = openPool(place, { ...options, limits: contract.limits })
  // Awaited below; that it may fail earlier is no surprise.
  opening.catch(() => {})
  try {
    const [input, output] = await Promise.all([
      compileSchema(contract.input_schema, 'input_schema'),
      compileSchema(contract.output_schema, 'output_schema'),
    ])
    const pool = await opening
    return {
      sandbox: pool.sandbox,
      failure: await pool.ready,
      close: () => pool.close(),
      async answer(value, call = {}) {
        const problems = input(value)
        if (problems.length > 0) return invalidInput(problems)
        const limit = call.timeoutMs ?? timeoutMs
        try {
          const reply = await pool.run(value as Json, limit === undefined ? {} : { timeoutMs: limit })
          return outcomeOf(reply, output)
        } catch (error) {
          if (!(error instanceof LoopaiError) || error.code !== 'INPUT_TOO_LARGE') throw error
          return invalidInput([{ pointer: '', message: `is larger than ${contract.limits.input_kb} KiB` }])
        }
      },
    }
  } catch (problem) {
    await opening.then(pool => pool.close()).catch(() => {})
    throw problem
  }
}

/** Where the program of a version lies. */
export function placeOf(app: LoopApp, { number, directory, manifest }: Version): ProgramPlace {
  return { loopAppId: app.id, version: number, directory, runtime: manifest.runtime, entry: manifest.entry }
}
