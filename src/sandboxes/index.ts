import type { Sandbox, SandboxName } from './sandbox.ts'

/** The strongest first. */
export const sandboxes: Record<SandboxName, () => Promise<{ default: Sandbox }>> = {
  bubblewrap: () => import('./bubblewrap.ts'),
  landlock: () => import('./landlock.ts'),
  seatbelt: () => import('./seatbelt.ts'),
  none: () => import('./none.ts'),
}
