import { chooseSandbox } from '../../src/actions/choose-sandbox.ts'
import { findInterpreter } from '../../src/actions/find-interpreter.ts'
import { LoopaiError } from '../../src/domain/errors.ts'
import { runtimes } from '../../src/runtimes/index.ts'
import type { RuntimeName } from '../../src/runtimes/runtime.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'

/** The sandboxes that pass their live probe on this machine, and why the others do not. */
export async function findTiers(
  names: SandboxName[],
  runtimeName: RuntimeName = 'python',
): Promise<{ works: SandboxName[]; missing: Map<SandboxName, string> }> {
  const works: SandboxName[] = []
  const missing = new Map<SandboxName, string>()
  const runtime = (await runtimes[runtimeName]()).default
  const interpreter = await findInterpreter(runtime)
  for (const name of names) {
    process.env.LOOPAI_SANDBOX = name
    try {
      await chooseSandbox(runtime, interpreter)
      works.push(name)
    } catch (problem) {
      if (!(problem instanceof LoopaiError)) throw problem
      missing.set(name, problem.message)
    }
  }
  delete process.env.LOOPAI_SANDBOX
  return { works, missing }
}
