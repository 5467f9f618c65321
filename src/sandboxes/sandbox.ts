import type { Launch } from '../domain/launch.ts'

export type SandboxName = 'bubblewrap' | 'landlock' | 'seatbelt' | 'none'

/**
 * Makes a launch stricter. It starts nothing.
 *
 * The promise: a program in the confined process reads its own folder, the interpreter and the libraries, and changes nothing;
 * it reaches no network, starts no process, touches no other one, and sees of the environment what the launch says. The sandbox
 * needs no rights that the user does not have, and when the host dies, the process dies.
 *
 * Whether a machine keeps the promise is not known from here: the live probe (`templates/harness/probe.py`) tries to break it.
 */
export interface Sandbox {
  name: SandboxName
  /** Why this sandbox cannot be had here, or not for this process, when a glance is enough to tell. */
  obstacle(launch?: Launch): string | undefined
  /** What a probe's verdict holds for, beside kernel, user and interpreter. Changes when the sandbox's own executable does. */
  identity(): string
  /** The same process, confined. The result's paths are as the confined process sees them. */
  confine(launch: Launch): Launch
  /** The reason and the fix behind what a process said that could not be confined. */
  explain(message: string): string
}
