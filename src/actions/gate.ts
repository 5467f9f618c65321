import { LoopaiError } from '../domain/errors.ts'
import { type PromotionPlan, planPromotion } from '../domain/promotion.ts'
import { measure } from '../domain/quality.ts'
import { reportOf, type Scorecard, type ScoreReport } from '../domain/scorecard.ts'
import type { Version } from '../domain/version.ts'
import { findReplaced } from '../store/active.ts'
import { readConfig } from '../store/apps.ts'
import { readVersion } from '../store/versions.ts'
import type { OpenApp } from './open-app.ts'
import { readYardstick, score } from './score.ts'

export interface GateOptions {
  /** File of golden cases to use instead of the app's own. */
  cases?: string | undefined
  /** Share of golden cases that must be right, 0 to 1; default: all of them. */
  min?: number | undefined
  unsandboxed?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface Judged {
  plan: PromotionPlan
  candidate: ScoreReport
  active: ScoreReport | null
}

/** Judges a version, and the active one on the same rows, as a promotion would. Changes nothing. */
export async function judge(
  { data, app }: Pick<OpenApp, 'data' | 'app'>,
  version: Version,
  { cases, min = 1, unsandboxed, signal }: GateOptions,
): Promise<Judged> {
  const [config, yardstick, activeNumber] = await Promise.all([
    readConfig(data, app),
    readYardstick(app, cases),
    findReplaced(app),
  ])
  const { metric, accuracy } = config.targets
  const candidate = await judgeOne(version)
  const active = activeNumber === version.number ? candidate : await judgeActive(activeNumber)
  const plan = planPromotion({
    loopAppId: app.id,
    candidate: candidate.card,
    active: active?.card,
    target: { metric, value: accuracy },
    measured: { candidate: candidate.measured, active: active?.measured ?? null },
    min,
  })
  return { plan, candidate: reportOf(candidate.card), active: active ? reportOf(active.card) : null }

  async function judgeOne(one: Version): Promise<{ card: Scorecard; measured: number | null }> {
    const card = await score(app, one, yardstick, { unsandboxed, signal })
    return { card, measured: measure(one.manifest.evaluation?.report, metric) }
  }

  /** With an active version that is missing or was tampered with, there is nothing to compare. */
  async function judgeActive(number: number | null | undefined) {
    if (number == null) return
    try {
      return await judgeOne(await readVersion(app, number))
    } catch (error) {
      if (!(error instanceof LoopaiError)) throw error
      if (error.code !== 'INTEGRITY' && error.code !== 'VERSION_NOT_FOUND') throw error
    }
  }
}
