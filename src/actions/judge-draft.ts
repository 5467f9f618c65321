import type { Draft } from '../domain/draft.ts'
import type { GeneratorName } from '../generators/index.ts'
import { type Candidate, prepareCandidate } from './candidate.ts'
import type { Workspace } from './workspace.ts'
import type { WritingTask } from './write-program.ts'

/** A draft, who wrote it, and what came of its checks. */
export interface Judged {
  generator: GeneratorName
  draft: Draft
  candidate: Candidate
}

/** Checks a draft of a generator. The caller removes the candidate's folder. */
export async function judgeDraft(
  workspace: Workspace,
  { app, config, yardstick, unsandboxed }: WritingTask,
  { draft, generator }: Pick<Judged, 'draft' | 'generator'>,
): Promise<Judged> {
  workspace.progress({ stage: 'running the checks', done: 0, total: 1 })
  const options = { isGenerated: true, unsandboxed, signal: workspace.signal }
  return { generator, draft, candidate: await prepareCandidate(app, config, draft, yardstick, options) }
}
