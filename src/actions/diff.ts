import { isDeepStrictEqual } from 'node:util'
import { parseVersion } from '../domain/address.ts'
import { type Difference, differenceOf } from '../domain/difference.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Outcome } from '../domain/execution.ts'
import type { Json } from '../domain/json.ts'
import type { Version } from '../domain/version.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { readExecutions } from '../store/datasets.ts'
import { diffFolders } from '../store/git.ts'
import { refuseRemoved, resolveVersion } from '../store/versions.ts'
import { openVersion } from './executor.ts'
import { openApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface DiffRequest {
  app: string
  /** Default: the active version. */
  from?: string | undefined
  /** Default: the latest version. */
  to?: string | undefined
  /** How many of the latest recorded inputs both versions answer. */
  replay?: number | undefined
  unsandboxed?: boolean | undefined
}

export interface Diff extends Difference {
  loop_app_id: string
  from: { version: number; digest: string }
  to: { version: number; digest: string }
  /** True when the versions have the same digest, and no replayed answer differs. */
  same: boolean
  /** Unified, as git writes it. */
  patch: string
  replay: { inputs: number; changed: ReplayedChange[] } | null
}

export interface ReplayedChange {
  execution_id: string
  input: Json
  from: Json | { error: string }
  to: Json | { error: string }
}

/** What changes from one version to another: files, contract, scores, and with `replay` the answers to recorded inputs. */
export async function diff(workspace: Workspace, request: DiffRequest): Promise<Diff> {
  const { app } = await openApp(workspace, request.app)
  const [from, to] = await chooseVersions(app, request)
  for (const version of [from, to]) refuseRemoved(app, version)
  const [patch, replay] = await Promise.all([
    diffFolders(app.paths.artifacts, `v${from.number}`, `v${to.number}`),
    request.replay === undefined ? null : replayInputs(app, [from, to], request.replay, request),
  ])
  const nameOf = ({ number, manifest }: Version) => ({ version: number, digest: manifest.digest })
  return {
    loop_app_id: app.id,
    from: nameOf(from),
    to: nameOf(to),
    same: from.manifest.digest === to.manifest.digest && !replay?.changed.length,
    ...differenceOf(from.manifest, to.manifest),
    patch: withoutManifests(patch),
    replay,
  }
}

/** One name is what would change if that version were promoted; none is about the latest one. */
async function chooseVersions(app: LoopApp, { from, to }: DiffRequest): Promise<[Version, Version]> {
  if (from !== undefined && to !== undefined) {
    return [await resolveVersion(app, parseVersion(from)), await resolveVersion(app, parseVersion(to))]
  }
  const newer = await resolveVersion(app, parseVersion(from ?? 'latest'))
  const base = (await findActive(app)) === newer.number ? 'previous' : 'active'
  return [await resolveVersion(app, parseVersion(base)), newer]
}

/** Manifests differ always, and what matters of them is told apart. */
function withoutManifests(patch: string): string {
  const sections = patch.split(/^(?=diff --git )/m)
  return sections.filter(section => !/^diff --git \S*v\d+\/manifest\.json /.test(section)).join('')
}

async function replayInputs(
  app: LoopApp,
  versions: [Version, Version],
  count: number,
  { unsandboxed }: DiffRequest,
): Promise<Diff['replay']> {
  const recorded: { execution_id: string; input: Json }[] = []
  for await (const { execution_id, input } of readExecutions(app, '')) {
    if (input === undefined) continue
    recorded.push({ execution_id, input })
    if (recorded.length > count) recorded.shift()
  }
  if (recorded.length === 0) {
    throw new LoopaiError('EXECUTION_NOT_FOUND', `${app.id} has no recorded input to replay`, {
      hint: 'records are made by exec and serve, on this machine, unless privacy.record says otherwise',
    })
  }
  const inputs = recorded.map(({ input }) => input)
  const [from, to] = await Promise.all(versions.map(version => answersOf(app, version, inputs, unsandboxed)))
  const changed = recorded.map((one, i) => ({ ...one, from: from![i]!, to: to![i]! }))
  return { inputs: inputs.length, changed: changed.filter(one => !isDeepStrictEqual(one.from, one.to)) }
}

async function answersOf(app: LoopApp, version: Version, inputs: Json[], unsandboxed: boolean | undefined) {
  const program = await openVersion(app, version, { size: 1, unsandboxed })
  try {
    return (await program.answerMany(inputs)).map(answerOf)
  } finally {
    await program.close()
  }
}

function answerOf(outcome: Outcome): Json | { error: string } {
  return outcome.status === 'success' ? outcome.output : { error: outcome.error.kind }
}
