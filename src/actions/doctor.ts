import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { environmentFindings } from '../domain/environment.ts'
import { LoopaiError } from '../domain/errors.ts'
import { type Finding, type FindingKind, shorten } from '../domain/finding.ts'
import { runtimes } from '../runtimes/index.ts'
import type { Interpreter, Runtime } from '../runtimes/runtime.ts'
import { findActive } from '../store/active.ts'
import type { LoopApp } from '../store/apps.ts'
import { problemOfCache } from '../store/cache.ts'
import { findGitVersion, findRepository, type Repository } from '../store/git.ts'
import { gitIn, quoted } from '../store/git-words.ts'
import { readUser } from '../store/identity.ts'
import { missingRootFiles } from '../store/init.ts'
import { readJournal } from '../store/journal.ts'
import { findLeftovers, removeLeftovers } from '../store/leftovers.ts'
import { type DataDirectory, findRoot, openDataDirectory } from '../store/root.ts'
import { findConversions, findHidden } from '../store/rules.ts'
import { closeTorn, countUnreadable, findTorn } from '../store/torn.ts'
import { findAbandoned, removeReferences } from '../store/upstream.ts'
import { readVersion } from '../store/versions.ts'
import { chooseSandbox } from './choose-sandbox.ts'
import { environmentOf } from './environments.ts'
import { findInterpreter } from './find-interpreter.ts'
import { init } from './init.ts'
import { findingOf, inspectApp, lostHistoryFindings, readApps } from './inspect-app.ts'
import { mergeFindings } from './merge-findings.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface DoctorOptions {
  /** Mends what can be mended without losing anything. */
  fix?: boolean | undefined
  /** Compares every version with its digest anew and reads every record, instead of those that have changed and the ends of files. */
  deep?: boolean | undefined
}

export interface Diagnosis {
  node: string
  git: string | null
  python: string | null
  sandbox: { tier: string; lacks: string[] } | null
  root: string | null
  fixed: string[]
  findings: Finding[]
}

/** A finding, and how it is mended when that is safe. */
interface Ailment extends Finding {
  mend?: () => Promise<unknown>
}

/** What a tier does not give, which the strongest one does. */
const LACKS: Record<string, string[]> = {
  bubblewrap: [],
  landlock: [
    'a process id namespace',
    'hiding whether a path exists',
    'threads inside a program',
    'a limit on the threads of JavaScript programs',
  ],
}

/** Looks for what is wrong with this machine and with the data directory. */
export async function doctor(workspace: Workspace, { fix, deep }: DoctorOptions): Promise<Diagnosis> {
  const { node } = process.versions
  const [git, machine] = await Promise.all([findGitVersion(), examineMachine()])
  const ailments: Ailment[] = [...environmentFindings({ node, git }), ...machine.ailments]
  const data = await findData(workspace, ailments)
  if (data && git) ailments.push(...(await examineData(workspace, data, Boolean(deep))))

  const fixed: string[] = []
  const findings: Finding[] = []
  for (const { mend, ...finding } of ailments) {
    if (!fix || !mend) {
      findings.push(finding)
      continue
    }
    try {
      await mend()
      fixed.push(finding.message)
    } catch (error) {
      const { message, fix } = findingOf(finding.kind, finding.loop_app_id, error)
      findings.push({ ...finding, message: `${finding.message}; this could not be mended: ${message}`, fix })
    }
  }
  const { python, sandbox } = machine
  return { node, git: git ?? null, python, sandbox, root: data?.root ?? null, fixed, findings }
}

async function examineMachine() {
  const ailments: Ailment[] = []
  const runtime: Runtime = (await runtimes.python()).default
  const interpreter = await attempt<Interpreter>(ailments, 'environment', () => findInterpreter(runtime))
  const { obstacle } = interpreter ?? {}
  if (obstacle) ailments.push(finding('environment', obstacle.message, obstacle.hint))
  const tier =
    interpreter && (await attempt(ailments, 'environment', () => chooseSandbox(runtime, interpreter)))
  const cache = problemOfCache()
  if (cache) ailments.push(finding('environment', cache.message, cache.fix))
  return {
    ailments,
    python: interpreter ? `${interpreter.version} (${interpreter.executable})` : null,
    sandbox: tier ? { tier: tier.name, lacks: LACKS[tier.name] ?? [] } : null,
  }
}

async function findData(workspace: Workspace, ailments: Ailment[]): Promise<DataDirectory | undefined> {
  if (!findRoot(workspace)) return undefined
  return attempt(ailments, 'config', () => openDataDirectory(workspace))
}

async function examineData(workspace: Workspace, data: DataDirectory, deep: boolean): Promise<Ailment[]> {
  const ailments: Ailment[] = []
  const repository = await attempt(ailments, 'git', () => findRepository(data.root))
  if (repository) ailments.push(...(await examineRepository(workspace, data, repository)))
  else if (ailments.length === 0) {
    ailments.push(finding('git', `${data.root} is not in a git repository`, `loopai init ${data.root}`))
  }
  ailments.push(...(await examineLeftovers(data, workspace.now())))
  const { apps, findings } = await readApps(data)
  ailments.push(...findings)
  for (const app of apps) {
    ailments.push(...(await inspectApp(data, app, { deep })).findings)
    ailments.push(...(await examinePackages(app)))
    ailments.push(...(await examineRecords(app, deep)))
  }
  if (repository) ailments.push(...(await lostHistoryFindings(repository, apps)))
  if (repository) ailments.push(...(await mergeFindings(repository, ailments)))
  return ailments
}

async function examineRepository(
  workspace: Workspace,
  data: DataDirectory,
  repository: Repository,
): Promise<Ailment[]> {
  const ailments: Ailment[] = []
  await attempt(ailments, 'git', () => readUser(data.root, workspace.env, workspace.now()))
  for (const folder of [data.root, repository.gitDirectory]) {
    await access(folder, constants.W_OK).catch(() =>
      ailments.push(finding('environment', `${folder} cannot be written`, `chmod -R u+w ${folder}`)),
    )
  }
  const { write: pending } = await readJournal(repository)
  if (pending) {
    const message = `a crash interrupted a write: ${pending.subject}`
    const mend = () => write(workspace, data, async ({ recovered }) => recovered)
    ailments.push({
      ...finding('leftover', message, 'loopai doctor --fix finishes it or takes it back'),
      mend,
    })
  }
  const abandoned = await findAbandoned(repository)
  if (abandoned.length > 0) {
    const message = `a crash left references of a fetch: ${shorten(abandoned)}`
    const mend = () => removeReferences(repository, abandoned)
    ailments.push({ ...finding('leftover', message, 'loopai doctor --fix removes them'), mend })
  }
  const missing = await attempt(ailments, 'rules', () => missingRootFiles(data.root))
  if (missing && missing.length > 0) {
    const names = missing.map(file => file.path).join(', ')
    const message = `${names} ${missing.length > 1 ? 'lack' : 'lacks'} the rules that keep programs as they are and records out of git`
    const mend = () => init(workspace, data.root)
    ailments.push({ ...finding('rules', message, 'loopai doctor --fix adds them'), mend })
  } else {
    const conversions = await findConversions(repository)
    if (conversions.length > 0) {
      const message = `git attributes would change programs: ${conversions.join(', ')} for loop-apps/*/artifacts`
      ailments.push(
        finding(
          'rules',
          message,
          `remove the rule that overrides ours: ${gitIn(data.root)} check-attr -a <program.py>`,
        ),
      )
    }
  }
  const hidden = await findHidden(repository)
  if (hidden.length > 0) {
    const message = `git ignores ${hidden.slice(0, 3).join(', ')}, which belongs into it (${hidden.length} files)`
    ailments.push(
      finding(
        'rules',
        message,
        `remove the rule that this names: ${gitIn(data.root)} check-ignore -v ${quoted(hidden[0]!)}`,
      ),
    )
  }
  return ailments
}

async function examineLeftovers(data: DataDirectory, now: Date): Promise<Ailment[]> {
  const places = await findLeftovers(data, now)
  if (places.length === 0) return []
  const message = `a crash left ${places.length} temporary files or folders, e.g. ${path.relative(data.root, places[0]!)}`
  const mend = () => removeLeftovers(places)
  return [{ ...finding('leftover', message, 'loopai doctor --fix removes them'), mend }]
}

/** Whether the active version has what it imports. What else may be wrong with it is found elsewhere. */
async function examinePackages(app: LoopApp): Promise<Ailment[]> {
  try {
    const active = await findActive(app)
    const state = active === undefined ? undefined : await environmentOf(await readVersion(app, active))
    if (!state || state.isInstalled) return []
    const message = `v${active} of ${app.id} needs packages that are not installed here: ${state.packages.join(', ')}`
    return [finding('environment', message, `loopai prepare ${app.id}`, app)]
  } catch (error) {
    if (error instanceof LoopaiError) return []
    throw error
  }
}

async function examineRecords(app: LoopApp, deep: boolean): Promise<Ailment[]> {
  const torn = (await findTorn(app)).map(file => ({
    ...finding(
      'records',
      `the last line of ${file} was cut off by a crash`,
      'loopai doctor --fix closes it',
      app,
    ),
    mend: () => closeTorn(file),
  }))
  if (!deep) return torn
  const unreadable = (await countUnreadable(app)).map(({ file, lines }) =>
    finding(
      'records',
      `${lines} ${lines === 1 ? 'line' : 'lines'} of ${file} cannot be read, and readers skip them`,
      'delete them when nobody needs them',
      app,
    ),
  )
  return [...torn, ...unreadable]
}

async function attempt<Value>(
  ailments: Ailment[],
  kind: FindingKind,
  look: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof LoopaiError)) throw error
    ailments.push(findingOf(kind, null, error))
    return undefined
  }
}

function finding(kind: FindingKind, message: string, fix: string, app?: LoopApp): Finding {
  return { kind, loop_app_id: app?.id ?? null, message, fix }
}
