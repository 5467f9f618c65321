const [at, signal] = (process.env.LOOPAI_STOP_AT ?? '').split(':')
let count = 0

/**
 * A place where a write may be cut off. `LOOPAI_STOP_AT=7:SIGKILL` sends this process that signal at its seventh step,
 * `LOOPAI_STOP_AT=landed:SIGSTOP` at the step of that name: so the tests die, or stand still, wherever they like.
 */
export function step(name: string): void {
  if (!at) return
  count++
  if (at !== name && at !== String(count)) return
  process.kill(process.pid, signal)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
}
