import { v7 as uuid } from 'uuid'
import { LoopaiError } from '../domain/errors.ts'
import type { HistoryEntry } from '../domain/history.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import { historyWith } from '../store/history.ts'
import { personOf } from '../store/identity.ts'
import type { VersionName } from '../store/versions.ts'
import type { OpenApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface Flip
  extends Pick<HistoryEntry, 'op' | 'evidence' | 'forced'>,
    Partial<Pick<HistoryEntry, 'mark' | 'hold'>> {
  /** What was active when this was decided. */
  from: VersionName | undefined
  to: Version
}

/** Moves the active link and says so in the history: one commit. Refused when something else was activated meanwhile. */
export async function flip(
  workspace: Workspace,
  { data, app }: Pick<OpenApp, 'data' | 'app'>,
  { from, to, op, ...rest }: Flip,
): Promise<string | null> {
  return write(workspace, data, async transaction => {
    const active = await findActive(app)
    if (active !== from?.number) throw activatedMeanwhile(app.id, active)
    const history = await historyWith(app, {
      id: uuid(),
      at: workspace.now().toISOString(),
      op,
      from: from?.number ?? null,
      to: to.number,
      from_digest: from?.digest ?? null,
      to_digest: to.manifest.digest,
      by: personOf(transaction.identity.author),
      via: workspace.env.CI ? 'ci' : 'cli',
      reason: workspace.message ?? null,
      ...rest,
    })
    const change = from ? `v${from.number} -> v${to.number}` : `v${to.number}`
    return transaction.commit({
      kind: 'flip',
      subject: `${app.id}: ${op} ${change}`,
      trailers: {
        'Loopai-App': app.id,
        'Loopai-Op': op,
        'Loopai-Version': `v${to.number}`,
        ...(from && { 'Loopai-From': `v${from.number}` }),
        'Loopai-Digest': to.manifest.digest,
        ...runTrailer(workspace.env),
      },
      files: [
        { path: `loop-apps/${app.id}/history.jsonl`, mode: '100644', content: history },
        { path: `loop-apps/${app.id}/artifacts/active`, mode: '120000', content: `v${to.number}` },
      ],
    })
  })
}

function activatedMeanwhile(id: string, active: number | undefined): LoopaiError {
  const what = active === undefined ? 'nothing is active any more' : `v${active} was activated meanwhile`
  return new LoopaiError('CONFLICT', `${id}: ${what}`, { hint: 'look at it and repeat the command' })
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
