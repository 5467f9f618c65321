import { parseVersion, type VersionSelector } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { lifecycleOf, predecessor } from '../domain/history.ts'
import type { Version } from '../domain/version.ts'
import { findActive, findReplaced } from '../store/active.ts'
import { findLostHistories } from '../store/base.ts'
import { isUsable } from '../store/folders.ts'
import { openRepository } from '../store/git.ts'
import { lostHistory, readHistory } from '../store/history.ts'
import {
  identifyVersion,
  listVersions,
  noActiveVersion,
  readVersion,
  resolveVersion,
  verifyVersion,
} from '../store/versions.ts'
import { flip } from './flip.ts'
import { type OpenApp, openAddressToWrite } from './open-app.ts'
import { publish } from './publish.ts'
import { refuseArchived } from './refuse-resting.ts'
import type { Workspace } from './workspace.ts'

export interface RollbackRequest {
  /** `app`, or `app@version` instead of the predecessor. */
  app: string
  /** The same. */
  to?: string | undefined
  /** The version that is left is not marked bad, and promotion is not held. */
  keepGood?: boolean | undefined
  /** Sends it to the branch that this one follows. */
  push?: boolean | undefined
}

export interface RolledBack {
  loop_app_id: string
  /** Null when the link named no version. */
  from: number | null
  to: number
  digest: string
  changed: boolean
  marked: 'bad' | null
  commit: string | null
  /** Where it was sent, if it was. */
  pushed: string | null
}

/** Goes back to the version that was active before. Never gated, and, without `push`, works offline: it is for when something is wrong. */
export async function rollback(workspace: Workspace, request: RollbackRequest): Promise<RolledBack> {
  const { data, app, address } = await openAddressToWrite(workspace, request.app)
  const wanted = request.to === undefined ? address.version : parseVersion(request.to)
  refuseArchived(app, lifecycleOf(await readHistory(app)))
  const { active, to } = await findFlip({ data, app }, wanted)
  const result = { loop_app_id: app.id, from: active, to: to.number, digest: to.manifest.digest }
  const send = async () => (request.push ? publish(workspace, app, { version: to }) : null)
  if (to.number === active)
    return { ...result, changed: false, marked: null, commit: null, pushed: await send() }
  await verifyVersion(app, to)
  const isBad = active !== null && !request.keepGood
  const commit = await flip(
    workspace,
    { data, app },
    {
      op: 'rollback',
      from: active === null ? undefined : await identifyVersion(app, active),
      to,
      evidence: null,
      forced: false,
      ...(isBad && { mark: 'bad', hold: true }),
    },
  )
  return { ...result, changed: true, marked: isBad ? 'bad' : null, commit, pushed: await send() }
}

/** What is left for what. A link that names no version can be left for a version that is named. */
async function findFlip({ data, app }: Pick<OpenApp, 'data' | 'app'>, named: VersionSelector | undefined) {
  const active = named === undefined ? await findActive(app) : await findReplaced(app)
  if (active === undefined) throw await noActiveVersion(app)
  if (named !== undefined) return { active, to: await resolveVersion(app, named) }
  return { active, to: await findPredecessor({ data, app }, active!) }
}

async function findPredecessor(
  { data, app }: Pick<OpenApp, 'data' | 'app'>,
  active: number,
): Promise<Version> {
  const number = predecessor(await readHistory(app), active, candidate => isUsable(app, candidate))
  if (number !== undefined) return readVersion(app, number)
  const [lost] = await findLostHistories(await openRepository(data.root), [app])
  if (lost) throw lostHistory(lost)
  const other = (await listVersions(app)).findLast(
    candidate => candidate !== active && isUsable(app, candidate),
  )
  throw new LoopaiError('NO_PREDECESSOR', `nothing was active before v${active} of ${app.id}`, {
    hint:
      other === undefined
        ? `it is the only version; make another with: loopai generate ${app.id}`
        : `name a version: loopai rollback ${app.id} --to v${other}   (loopai show ${app.id} lists them)`,
  })
}
