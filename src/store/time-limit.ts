import { Script } from 'node:vm'

/** `work` took longer than it may, and was ended in the middle. */
export class OutOfTime extends Error {}

/**
 * The result of `work`, which has to be synchronous and without effect: when its time is up it is ended wherever it is. The engine can end what
 * it runs only as a script, which costs about 0.1 ms.
 */
export function within<Result>(milliseconds: number, work: () => Result): Result {
  slots[SLOT] = work
  try {
    return call.runInThisContext({ timeout: milliseconds }) as Result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new OutOfTime()
    throw error
  } finally {
    slots[SLOT] = undefined
  }
}

/** Where the script finds what it is to call. */
const SLOT = Symbol.for('loopai.time-limit')
const slots = globalThis as typeof globalThis & Record<typeof SLOT, unknown>
const call = new Script("globalThis[Symbol.for('loopai.time-limit')]()", { filename: 'loopai:time-limit' })
