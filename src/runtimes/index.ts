import type { Runtime, RuntimeName } from './runtime.ts'

export const runtimes: Record<RuntimeName, () => Promise<{ default: Runtime }>> = {
  python: () => import('./python.ts'),
  node: () => import('./node.ts'),
}
