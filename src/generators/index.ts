import type { Generator } from '../domain/draft.ts'

/** Who writes programs. One more is one file and one line here. */
export const GENERATORS = {
  learn: () => import('./learn/index.ts'),
  llm: () => import('./llm/index.ts'),
  command: () => import('./command.ts'),
  template: () => import('./template.ts'),
} satisfies Record<string, () => Promise<{ default: Generator }>>

export type GeneratorName = keyof typeof GENERATORS
