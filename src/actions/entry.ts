import type { HistoryEntry } from '../domain/history.ts'
import type { LoopApp } from '../store/apps.ts'
import { historyWith } from '../store/history.ts'
import { personOf } from '../store/identity.ts'
import type { CommittedFile, Transaction } from '../store/transaction.ts'
import type { VersionName } from '../store/versions.ts'
import { newIds } from './ids.ts'
import type { Workspace } from './workspace.ts'

/** Something that happened to an app, and to which of its versions. */
export interface Occurrence
  extends Pick<HistoryEntry, 'op'>,
    Partial<Pick<HistoryEntry, 'evidence' | 'forced' | 'mark' | 'hold'>> {
  from?: VersionName | undefined
  to?: VersionName | undefined
}

/** The line that tells of it, by whom and why: the app's history with it, and the trailers of its commit. */
export async function tell(
  workspace: Workspace,
  { identity }: Transaction,
  app: LoopApp,
  { from, to, op, ...rest }: Occurrence,
): Promise<{ entry: HistoryEntry; history: CommittedFile; trailers: Record<string, string> }> {
  const entry: HistoryEntry = {
    id: newIds(1)[0]!,
    at: workspace.now().toISOString(),
    op,
    from: from?.number ?? null,
    to: to?.number ?? null,
    from_digest: from?.digest ?? null,
    to_digest: to?.digest ?? null,
    by: personOf(identity.author),
    via: workspace.env.CI ? 'ci' : 'cli',
    reason: workspace.message ?? null,
    evidence: null,
    forced: false,
    ...rest,
  }
  return {
    entry,
    history: {
      path: `loop-apps/${app.id}/history.jsonl`,
      mode: '100644',
      content: await historyWith(app, entry),
    },
    trailers: {
      'Loopai-App': app.id,
      'Loopai-Op': op,
      ...(to && { 'Loopai-Version': `v${to.number}` }),
      ...(from && { 'Loopai-From': `v${from.number}` }),
      ...(to?.digest && { 'Loopai-Digest': to.digest }),
      ...runTrailer(workspace.env),
    },
  }
}

/** Where the change was decided, when a CI run did. */
function runTrailer({
  GITHUB_SERVER_URL,
  GITHUB_REPOSITORY,
  GITHUB_RUN_ID,
  CI_JOB_URL,
}: NodeJS.ProcessEnv): Record<string, string> {
  if (CI_JOB_URL) return { 'Loopai-Run': CI_JOB_URL }
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY || !GITHUB_RUN_ID) return {}
  return { 'Loopai-Run': `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}` }
}
