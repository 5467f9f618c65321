import { statSync } from 'node:fs'
import { LoopaiError } from '../domain/errors.ts'
import { isObject } from '../domain/json.ts'
import { LOOPAI_VERSION } from '../package.ts'
import type { Interpreter, Runtime } from '../runtimes/runtime.ts'
import { cacheFact, findFact } from '../store/cache.ts'
import { inspect } from '../workers/tool.ts'

const PATIENCE_MS = 20_000

/** The first candidate that answers. What it said is remembered for as long as the candidate and the interpreter behind it stay the same files. */
export async function findInterpreter(runtime: Runtime): Promise<Interpreter> {
  const reasons: string[] = []
  for (const candidate of runtime.candidates(process.env)) {
    const key = [LOOPAI_VERSION, candidate, identityOf(candidate)].join(' ')
    const known = findFact(runtime.name, key)
    if (isKnown(known) && identityOf(known.interpreter.executable) === known.identity)
      return known.interpreter
    const { status, stdout, stderr } = await inspect(candidate, runtime.inspection, PATIENCE_MS)
    if (status !== 0) {
      reasons.push(`${candidate} did not answer: ${stderr.trim().split('\n').at(-1) || `status ${status}`}`)
      continue
    }
    try {
      const interpreter = runtime.understand(stdout)
      cacheFact(runtime.name, key, { interpreter, identity: identityOf(interpreter.executable) })
      return interpreter
    } catch (problem) {
      reasons.push(`${candidate}: ${problem instanceof Error ? problem.message : problem}`)
    }
  }
  throw new LoopaiError('NO_PYTHON', [runtime.missing.title, ...reasons].join('\n  '), {
    hint: runtime.missing.hint,
  })
}

interface Known {
  interpreter: Interpreter
  identity: string
}

/** We wrote it ourselves; what a broken disk makes of it fails the identity. */
function isKnown(fact: unknown): fact is Known {
  if (!isObject(fact) || !isObject(fact.interpreter)) return false
  return typeof fact.interpreter.executable === 'string' && typeof fact.interpreter.platform === 'string'
}

function identityOf(file: string): string {
  try {
    const { size, mtimeMs } = statSync(file)
    return `${size} ${mtimeMs}`
  } catch {
    return 'gone'
  }
}
