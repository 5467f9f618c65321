import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseAddress } from '../domain/address.ts'
import type { Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Check } from '../domain/promotion.ts'
import { reportOf, type ScoreReport } from '../domain/scorecard.ts'
import { readApp, readConfig } from '../store/apps.ts'
import { readDraft } from '../store/drafts.ts'
import { openRepository } from '../store/git.ts'
import { resolveVersion, verifyVersion } from '../store/versions.ts'
import { prepareCandidate, type Registered, refuseFailed, registerCandidate } from './candidate.ts'
import type { Inherited } from './find-inherited.ts'
import { lockDraft } from './lock-draft.ts'
import { type OpenApp, openAppToWrite } from './open-app.ts'
import { programOf } from './program-files.ts'
import { readYardstick } from './score.ts'
import type { Workspace } from './workspace.ts'
import { prepareWrite } from './write.ts'

export interface AddRequest {
  app: string
  /** File or folder; default: the app's `draft/`. */
  path?: string | undefined
  /** A version, of this app or of another, whose files are taken instead. */
  from?: string | undefined
  /** File with the entry point; default: `program.py`, or the only file. */
  entry?: string | undefined
  unsandboxed?: boolean | undefined
}

export interface Added extends Registered {
  loop_app_id: string
  checks: Check[]
  score: ScoreReport
}

/** Registers files that a person or a tool has written as a new version, when they pass the checks. */
export async function add(workspace: Workspace, request: AddRequest): Promise<Added> {
  const opened = await openAppToWrite(workspace, request.app)
  const { data, app } = opened
  const [config, yardstick, files] = await Promise.all([
    readConfig(data, app),
    readYardstick(app),
    filesOf(workspace, opened, request),
  ])
  const draft = await lockDraft(workspace, await programOf(files, request.entry), {
    data,
    app,
    config,
    isCopied: request.from !== undefined,
  })
  const checking = prepareCandidate(app, config, draft, yardstick, {
    isGenerated: false,
    unsandboxed: request.unsandboxed,
    signal: workspace.signal,
  })
  // Git answers while the checks run.
  const prepared = prepareWrite(workspace, data.root, openRepository(data.root))
  const candidate = await checking
  try {
    refuseFailed(app, candidate)
    workspace.signal.throwIfAborted()
    const registered = await registerCandidate(workspace, opened, candidate, {
      origin: { kind: 'add' },
      prepared,
    })
    const { inherited } = candidate
    if (inherited && registered.changed) workspace.report(inheritance(inherited))
    return {
      loop_app_id: app.id,
      ...registered,
      checks: candidate.check.checks,
      score: reportOf({ ...candidate.scorecard, version: registered.version }),
    }
  } finally {
    await candidate.staged.remove()
  }
}

function inheritance({ path: file, version }: Inherited): string {
  return `${file} was learned for v${version}, so the verdicts of v${version} stay on the rows that it was learned from`
}

async function filesOf(
  workspace: Workspace,
  { data, app }: OpenApp,
  request: AddRequest,
): Promise<Draft['files']> {
  if (request.from !== undefined) {
    const { loopAppId, version: selector } = parseAddress(request.from)
    const source = await readApp(data, loopAppId)
    const version = await resolveVersion(source, selector ?? { by: 'name', name: 'active' })
    await verifyVersion(source, version)
    return readDraft(version.directory)
  }
  const place = request.path === undefined ? app.paths.draft : path.resolve(workspace.cwd, request.path)
  if (request.path === undefined && !existsSync(place)) {
    throw new LoopaiError('FILE_NOT_FOUND', `there is no draft to add: ${place} does not exist`, {
      hint: `begin with a skeleton: loopai generate ${app.id} --generator template   or name a file or folder: loopai add ${app.id} path/to/program.py`,
    })
  }
  return readDraft(place)
}
