import type { Check, PromotionPlan } from '../domain/promotion.ts'
import type { ScoreReport } from '../domain/scorecard.ts'
import { resolveVersion } from '../store/versions.ts'
import { type GateOptions, judge } from './gate.ts'
import { openAddress } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface Tested {
  loop_app_id: string
  version: number
  digest: string
  outcome: PromotionPlan['outcome']
  checks: Check[]
  score: ScoreReport
  /** Of the active version, when that is another one. */
  active: ScoreReport | null
}

/** Runs golden cases and held-out examples, and says what a promotion would make of it. Default: the latest version. */
export async function test(
  workspace: Workspace,
  address: string,
  options: GateOptions = {},
): Promise<Tested> {
  const { data, app, address: parsed } = await openAddress(workspace, address)
  const version = await resolveVersion(app, parsed.version ?? { by: 'name', name: 'latest' })
  const { plan, candidate, active } = await judge({ data, app }, version, {
    ...options,
    signal: workspace.signal,
  })
  return {
    loop_app_id: app.id,
    version: version.number,
    digest: version.manifest.digest,
    outcome: plan.outcome,
    checks: plan.checks,
    score: candidate,
    active: active?.version === version.number ? null : active,
  }
}
