import { LoopaiError } from '../domain/errors.ts'
import { invalidInput, type Outcome, outcomeOf } from '../domain/execution.ts'
import { isNestedDeeper } from '../domain/json.ts'
import type { Gate } from '../domain/launch.ts'
import type { Failure, Reply } from '../domain/outcome.ts'
import type { Behaviour, Version } from '../domain/version.ts'
import type { SandboxName } from '../sandboxes/sandbox.ts'
import type { LoopApp } from '../store/apps.ts'
import { compileSchema, type Validator } from '../store/schemas.ts'
import { MAX_DEPTH } from '../workers/protocol.ts'
import { neededPackages } from './environments.ts'
import { openPool, type ProgramPlace } from './open-pool.ts'

/** A program that answers inputs, held to its contract. Nothing is recorded. Whoever opens it closes it. */
export interface Program {
  sandbox: SandboxName
  /** Why the program cannot be loaded, if it cannot. */
  failure: Failure | undefined
  answer(input: unknown, options?: AnswerOptions): Promise<Outcome>
  /** Answers all inputs, in their order, on all processes at once: much faster than one by one. */
  answerMany(inputs: unknown[], options?: AnswerOptions): Promise<Outcome[]>
  /** The same for so long: inputs that are not with a process by then are not run, and have no outcome. */
  answerFor(patienceMs: number, inputs: unknown[]): Promise<(Outcome | undefined)[]>
  close(): Promise<void>
}

interface AnswerOptions {
  /** For one input, instead of the program's own limit. */
  timeoutMs?: number | undefined
}

export interface ProgramOptions {
  /** How many processes, at most. */
  size?: number
  timeoutMs?: number | undefined
  unsandboxed?: boolean | undefined
  /** Ends the program, and whatever it was asked, when it aborts. */
  signal?: AbortSignal | undefined
  /** As of `openPool`. */
  gate?: Gate
  onStart?: () => void
}

type Contract = Pick<Behaviour, 'input_schema' | 'output_schema' | 'limits'>

export async function openProgram(
  place: ProgramPlace,
  contract: Contract,
  { timeoutMs, signal, onStart, ...options }: ProgramOptions = {},
): Promise<Program> {
  const limitOf = (call: AnswerOptions) => {
    const limit = call.timeoutMs ?? timeoutMs
    return limit === undefined ? {} : { timeoutMs: limit }
  }
  let compiling: Promise<Validator[]> | undefined
  const compile = () => {
    compiling ??= Promise.all([
      compileSchema(contract.input_schema, 'input_schema'),
      compileSchema(contract.output_schema, 'output_schema'),
    ])
    // Awaited below; that it may fail earlier is no surprise.
    compiling.catch(() => {})
    return compiling
  }
  const opening = openPool(place, {
    ...options,
    limits: contract.limits,
    onStart() {
      compile()
      onStart?.()
    },
  })
  try {
    const pool = await opening
    const [fits, output] = (await compile()) as [Validator, Validator]
    // What is nested too deep would take a schema such as `uniqueItems` beyond the stack. The pool refuses it.
    const input = (value: unknown) => (isNestedDeeper(value, MAX_DEPTH) ? [] : fits(value))
    const stop = () => void pool.close()
    signal?.addEventListener('abort', stop, { once: true })
    const answerAll = async (
      values: unknown[],
      run: (fitting: unknown[]) => Promise<(Reply | undefined)[]>,
    ): Promise<(Outcome | undefined)[]> => {
      const problems = values.map(input)
      const replies = await run(values.filter((_, i) => problems[i]!.length === 0))
      signal?.throwIfAborted()
      let next = 0
      return problems.map(found => {
        if (found.length > 0) return invalidInput(found)
        const reply = replies[next++]
        return reply && outcomeOf(reply, output)
      })
    }
    return {
      sandbox: pool.sandbox,
      failure: await pool.ready,
      close() {
        signal?.removeEventListener('abort', stop)
        return pool.close()
      },
      async answer(value, call = {}) {
        const problems = input(value)
        if (problems.length > 0) return invalidInput(problems)
        try {
          return outcomeOf(await pool.run(value, limitOf(call)), output)
        } catch (error) {
          if (!(error instanceof LoopaiError) || error.code !== 'INPUT_TOO_LARGE') throw error
          const message = `is larger than ${contract.limits.input_kb} KiB, which limits.input_kb allowed when this version was made`
          return invalidInput([{ pointer: '', message }])
        }
      },
      answerMany: (values, call = {}) =>
        // Each of them has a reply, and so an outcome.
        answerAll(values, fitting => pool.runMany(fitting, limitOf(call))) as Promise<Outcome[]>,
      answerFor: (patienceMs, values) => answerAll(values, fitting => pool.runFor(patienceMs, fitting)),
    }
  } catch (problem) {
    await opening.then(pool => pool.close()).catch(() => {})
    throw problem
  }
}

/** Where the program of a version lies. */
export function placeOf(app: LoopApp, version: Version): ProgramPlace {
  const { number, directory, manifest } = version
  const { runtime, entry, isolation } = manifest
  const packages = neededPackages(version)
  return {
    loopAppId: app.id,
    version: number,
    directory,
    runtime,
    entry,
    isolation,
    ...(packages && { packages }),
  }
}
