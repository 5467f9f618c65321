import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseVersion } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { lifecycleOf, marks } from '../domain/history.ts'
import type { PromotionPlan } from '../domain/promotion.ts'
import { shortDigest, type Version } from '../domain/version.ts'
import { findReplaced } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { openWithChanges, type Repository } from '../store/git.ts'
import { gitIn, quoted } from '../store/git-words.ts'
import { readHistory } from '../store/history.ts'
import type { DataDirectory } from '../store/root.ts'
import { identifyVersion, resolveVersion, verifyVersion } from '../store/versions.ts'
import { flip } from './flip.ts'
import { type GateOptions, type Judged, judge } from './gate.ts'
import { openAddress, openAddressToWrite } from './open-app.ts'
import { publish } from './publish.ts'
import { refuseArchived } from './refuse-resting.ts'
import type { Workspace } from './workspace.ts'
import { prepareWrite } from './write.ts'

export interface PromoteRequest extends GateOptions {
  /** `app`, or `app@version`. */
  address: string
  /** Default: the one in the address, else `latest`. */
  version?: string | undefined
  /** What must be active now, e.g. `v3`; `none` before the first promotion. */
  expect?: string | undefined
  /** Promotes whatever the gate says; needs a reason. */
  force?: boolean | undefined
  dryRun?: boolean | undefined
  /** Sends the promotion to the branch that this one follows. */
  push?: boolean | undefined
  /** Sends it to a branch of this name instead. */
  branch?: string | undefined
}

export interface Promoted extends PromotionPlan {
  forced: boolean
  commit: string | null
  /** Where it was sent, if it was. */
  pushed: string | null
}

/** Makes a version the active one, when the gate lets it. */
export async function promote(workspace: Workspace, request: PromoteRequest): Promise<Promoted> {
  const open = request.dryRun ? openAddress : openAddressToWrite
  const { data, app, address } = await open(workspace, request.address)
  if (request.force && !workspace.message?.trim()) throw needsReason(request)
  const selector = request.version === undefined ? address.version : parseVersion(request.version)
  const to = await resolveVersion(app, selector ?? { by: 'name', name: 'latest' })
  const from = (await findReplaced(app)) ?? undefined
  refuseUnexpected(app, from, request.expect)
  const history = await readHistory(app)
  refuseArchived(app, lifecycleOf(history))
  const send = async () =>
    request.push || request.branch ? publish(workspace, app, { version: to, branch: request.branch }) : null
  if (from === to.number) {
    await verifyVersion(app, to)
    return { ...unchanged(app, to), pushed: request.dryRun ? null : await send() }
  }
  const isBad = marks(history).get(to.number) === 'bad'
  if (isBad && !request.force) throw markedBad(app, to)
  // The gate waits for programs, so git may be asked meanwhile. What git says comes first.
  const opening = openCommitted(data, app, to)
  const prepared = prepareWrite(workspace, data.root, opening)
  const judging = judge({ data, app }, to, { ...request, signal: workspace.signal })
  await Promise.allSettled([opening, judging])
  await opening
  const judged = await judging
  const { plan } = judged
  const forced = Boolean(request.force) && (isBad || plan.outcome !== 'pass')
  if (request.dryRun) return { ...plan, forced, commit: null, pushed: null }
  if (plan.outcome !== 'pass' && !forced) throw refused(app, plan)
  const commit = await flip(
    workspace,
    { data, app, prepared },
    {
      op: 'promote',
      from: from === undefined ? undefined : await identifyVersion(app, from),
      to,
      evidence: evidenceOf(judged),
      forced,
    },
  )
  if (isBad) workspace.report(`v${to.number} was marked bad; that it is promoted takes the mark back`)
  return { ...plan, forced, commit, pushed: await send() }
}

function markedBad({ id }: LoopApp, { number }: Version): LoopaiError {
  return new LoopaiError('GATE_FAILED', `v${number} of ${id} is marked bad`, {
    hint: `take it back with: loopai mark ${id}@v${number} good   or name another version`,
  })
}

function needsReason({ address, version = '' }: PromoteRequest): LoopaiError {
  return new LoopaiError('MISSING_VALUE', '--force needs a reason', {
    hint: `loopai promote ${[address, version].filter(Boolean).join(' ')} --force -m "why the gate is wrong this time"`,
  })
}

function refuseUnexpected({ id }: LoopApp, active: number | undefined, expected: string | undefined): void {
  if (expected === undefined) return
  const selector = expected === 'none' ? undefined : parseVersion(expected)
  if (selector && selector.by !== 'number') {
    throw new LoopaiError('USAGE', `--expect takes a version number or none, not ${expected}`, {
      hint: `loopai promote ${id} --expect v3`,
    })
  }
  if (selector?.number === active) return
  const now = active === undefined ? 'nothing is active' : `v${active} is active`
  throw new LoopaiError('CONFLICT', `${id}: expected ${expected}, but ${now}`, {
    hint: `look at what happened with: loopai log ${id}`,
    details: { expected, active: active ?? null },
  })
}

function unchanged(app: LoopApp, { number, manifest }: Version): Omit<Promoted, 'pushed'> {
  return {
    loop_app_id: app.id,
    from: number,
    to: number,
    digest: manifest.digest,
    changed: false,
    outcome: 'pass',
    checks: [],
    forced: false,
    commit: null,
  }
}

/**
 * What is not committed is on this machine only, and would be gone with it. Rows that git has and that are missing here would make a gate
 * that judges by fewer of them look passed.
 */
async function openCommitted(data: DataDirectory, app: LoopApp, { number }: Version): Promise<Repository> {
  const home = `loop-apps/${app.id}`
  const folder = `${home}/artifacts/v${number}`
  const inRoot = gitIn(data.root)
  const paths = [folder, `${home}/tests`, `${home}/datasets/examples`]
  const { repository, changed: found } = await openWithChanges(data.root, paths)
  const changed = found.filter(name => name.startsWith(`${folder}/`))
  const missing = found.find(name => !changed.includes(name) && !existsSync(path.join(data.root, name)))
  if (missing !== undefined) {
    throw new LoopaiError('INTEGRITY', `${missing} is missing, and the gate would judge without it`, {
      hint: `restore it with: ${inRoot} checkout HEAD -- ${quoted(missing)}   or commit that it is gone`,
    })
  }
  if (changed.length === 0) return repository
  throw new LoopaiError('INTEGRITY', `v${number} of ${app.id} is not committed: ${changed[0]}`, {
    hint: `commit it first: ${inRoot} add ${folder} && ${inRoot} commit`,
    details: { changed },
  })
}

function refused(app: LoopApp, plan: PromotionPlan): LoopaiError {
  const reasons = plan.checks
    .filter(check => check.outcome !== 'pass')
    .map(check => `${check.name}: ${check.message}`)
  return new LoopaiError(
    'GATE_FAILED',
    [`v${plan.to} of ${app.id} is not promoted`, ...reasons].join('\n  '),
    {
      hint: `see what is wrong with: loopai test ${app.id}@v${plan.to}   or promote it anyway: --force -m "why"`,
      details: { plan },
    },
  )
}

function evidenceOf({ plan, candidate, active }: Judged): Record<string, unknown> {
  const numbers = (score: Judged['candidate']) => ({
    version: score.version,
    digest: shortDigest(score.digest),
    held_out: score.held_out,
    cases: { right: score.cases.right, total: score.cases.total },
  })
  return { checks: plan.checks, candidate: numbers(candidate), active: active && numbers(active) }
}
