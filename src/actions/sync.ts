import { isAtLeast } from '../domain/environment.ts'
import { LoopaiError } from '../domain/errors.ts'
import { type HistoryEntry, isHistoryEntry } from '../domain/history.ts'
import { type AppState, planSync, type SyncPlan } from '../domain/sync.ts'
import { findCommittedManifest } from '../store/base.ts'
import { findGitVersion, findHead, openRepository, type Repository } from '../store/git.ts'
import { gitIn } from '../store/git-words.ts'
import { isTrue, readUser } from '../store/identity.ts'
import {
  changedApps,
  fastForward,
  findMergeBase,
  listFiles,
  mergeInMemory,
  readBlob,
  type TreeEdit,
  type TreeFile,
} from '../store/merge.ts'
import { nextNumber } from '../store/numbers.ts'
import { type DataDirectory, openDataDirectory } from '../store/root.ts'
import type { Transaction } from '../store/transaction.ts'
import { countApart, fetchUpstream, nameUpstream, pushUpstream, type Upstream } from '../store/upstream.ts'
import { refuseMerge } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface SyncOptions {
  /** Only brings in what is upstream. */
  pull?: boolean | undefined
  dryRun?: boolean | undefined
}

export interface Synced {
  upstream: string
  /** Commits that each side had and the other had not. */
  ahead: number
  behind: number
  /** What became of the apps that both sides had changed. */
  apps: Omit<SyncPlan, 'history'>[]
  pulled: boolean
  pushed: boolean
  commit: string | null
}

const ATTEMPTS = 5

/** Brings this clone and the one it follows to the same state, and loses nothing of either. */
export async function sync(workspace: Workspace, options: SyncOptions = {}): Promise<Synced> {
  const version = await findGitVersion()
  if (version && !isAtLeast(version, '2.38')) {
    throw new LoopaiError('UNSUPPORTED', `sync needs git 2.38 or newer, this is ${version}`, {
      hint: 'install a newer git from https://git-scm.com, or use git pull and git push',
    })
  }
  refuseMerge(workspace)
  const data = await openDataDirectory(workspace)
  const repository = await openRepository(data.root)
  const all: Synced[] = []
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const upstream = await fetchUpstream(repository)
    const synced = await write(workspace, data, transaction =>
      bringIn(workspace, { data, repository, upstream, transaction }, options),
    )
    if (!synced) continue
    all.push(synced)
    const isPushing = !options.pull && !options.dryRun && (synced.ahead > 0 || all.length > 1)
    const head = isPushing ? await findHead(repository) : undefined
    if (!head) return joined(all)
    if (await pushUpstream(repository, upstream, head)) return { ...joined(all), pushed: true }
  }
  throw new LoopaiError('PUSH_REJECTED', 'others keep committing, here or upstream', {
    hint: 'repeat the command',
  })
}

/** What several attempts came to. */
function joined(all: Synced[]): Synced {
  const [first] = all
  const commit = all.findLast(one => one.commit)?.commit ?? null
  return { ...first!, apps: all.flatMap(one => one.apps), pulled: all.some(one => one.pulled), commit }
}

interface Scene {
  data: DataDirectory
  repository: Repository
  upstream: Upstream
  transaction: Transaction
}

/** Nothing, when somebody has committed meanwhile. */
async function bringIn(
  workspace: Workspace,
  scene: Scene,
  { dryRun }: SyncOptions,
): Promise<Synced | undefined> {
  const { data, repository, upstream } = scene
  const ours = await findHead(repository)
  if (!ours) throw new LoopaiError('CONFLICT', 'there is no commit yet', { hint: `${gitIn(data.root)} pull` })
  const apart = await countApart(repository, ours, upstream.tip)
  const name = nameUpstream(upstream)
  const result = { upstream: name, ...apart, apps: [], pulled: false, pushed: false, commit: null }
  if (apart.behind === 0) return result
  if (apart.ahead === 0) {
    if (!dryRun && !(await fastForward(repository, upstream.tip))) return undefined
    return { ...result, pulled: !dryRun }
  }
  const { plans, before, after } = await planMerge(scene, ours)
  const apps = plans.map(({ history: _, ...plan }) => plan)
  const user = await readUser(repository.workTree, workspace.env, workspace.now())
  const commit = await mergeInMemory(repository, {
    ours,
    theirs: upstream.tip,
    identity: user.identity,
    sign: isTrue(user.setting('commit.gpgsign')),
    message: messageOf(name, plans),
    before,
    after,
  })
  if (dryRun) return { ...result, apps }
  if (!(await fastForward(repository, commit))) return undefined
  return { ...result, apps, pulled: true, commit }
}

async function planMerge({ data, repository, upstream, transaction }: Scene, ours: string) {
  const base = await findMergeBase(repository, ours, upstream.tip)
  const [mine, other] = await Promise.all([
    changedApps(repository, base, ours),
    changedApps(repository, base, upstream.tip),
  ])
  const plans: SyncPlan[] = []
  const before: TreeEdit[] = []
  const after: TreeEdit[] = []
  for (const id of mine.filter(id => other.includes(id))) {
    const [atBase, atOurs, atTheirs] = await Promise.all(
      [base, ours, upstream.tip].map(commit => readAppAt(repository, commit, id)),
    )
    const used = [...atOurs!.state.versions.keys(), ...atTheirs!.state.versions.keys()]
    const next = Math.max(
      await nextNumber(transaction, { id, paths: data.paths.app(id) }),
      1 + Math.max(0, ...used),
    )
    const states = { base: atBase!.state, ours: atOurs!.state, theirs: atTheirs!.state, next }
    const plan = planSync(id, states)
    plans.push(plan)
    before.push(...(await editsBefore(repository, plan, atOurs!.files, atTheirs!.files)))
    after.push(...editsAfter(plan))
  }
  return { plans, before, after }
}

/** Ours, with the new numbers, and with upstream's files where we decide ourselves. */
async function editsBefore(
  repository: Repository,
  { loop_app_id, renumbered, shared }: SyncPlan,
  ours: TreeFile[],
  theirs: TreeFile[],
): Promise<TreeEdit[]> {
  const app = `loop-apps/${loop_app_id}`
  const edits: TreeEdit[] = []
  for (const { from, to } of renumbered) {
    const [old, now] = [`${app}/artifacts/v${from}/`, `${app}/artifacts/v${to}/`]
    for (const file of ours.filter(({ path }) => path.startsWith(old))) {
      const path = now + file.path.slice(old.length)
      edits.push({ path: file.path, gone: true })
      if (file.path !== `${old}manifest.json`) edits.push({ ...file, path })
      else
        edits.push({ path, mode: '100644', content: await renumberManifest(repository, file.id, renumbered) })
    }
  }
  const isDecided = (path: string) =>
    [`${app}/history.jsonl`, `${app}/artifacts/active`].includes(path) ||
    shared.some(number => path.startsWith(`${app}/artifacts/v${number}/`))
  edits.push(...ours.filter(({ path }) => isDecided(path)).map(({ path }) => ({ path, gone: true as const })))
  edits.push(...theirs.filter(({ path }) => isDecided(path)))
  return edits
}

async function renumberManifest(repository: Repository, id: string, renumbered: SyncPlan['renumbered']) {
  const manifest = JSON.parse(await readBlob(repository, id))
  const now = new Map(renumbered.map(({ from, to }) => [from, to]))
  const { version, parent, former_numbers: former = [] } = manifest
  const moved = {
    ...manifest,
    version: now.get(version),
    parent: now.get(parent) ?? parent,
    former_numbers: [...former, version],
  }
  return `${JSON.stringify(moved, null, 2)}\n`
}

function editsAfter({ loop_app_id, active, history }: SyncPlan): TreeEdit[] {
  const app = `loop-apps/${loop_app_id}`
  const lines = history.map(entry => `${JSON.stringify(entry)}\n`).join('')
  return [
    ...(lines ? [{ path: `${app}/history.jsonl`, mode: '100644' as const, content: lines }] : []),
    ...(active === null
      ? []
      : [{ path: `${app}/artifacts/active`, mode: '120000' as const, content: `v${active}` }]),
  ]
}

async function readAppAt(
  repository: Repository,
  commit: string,
  id: string,
): Promise<{ state: AppState; files: TreeFile[] }> {
  const files = await listFiles(repository, commit, `loop-apps/${id}`)
  const find = (name: string) => files.find(({ path }) => path === `loop-apps/${id}/${name}`)
  const [link, history] = await Promise.all(
    [find('artifacts/active'), find('history.jsonl')].map(file => file && readBlob(repository, file.id)),
  )
  const versions = new Map<number, string>()
  for (const { path } of files) {
    const [, number] = /^loop-apps\/[^/]+\/artifacts\/v(\d+)\/manifest\.json$/.exec(path) ?? []
    const manifest = number && (await findCommittedManifest(repository, commit, path))
    if (manifest) versions.set(Number(number), manifest.digest)
  }
  const active = /^v([1-9]\d{0,8})\/?$/.exec((link ?? '').trim())
  return {
    files,
    state: { versions, active: active ? Number(active[1]) : null, history: parse(id, history ?? '') },
  }
}

function parse(id: string, text: string): HistoryEntry[] {
  return text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const entry = tryJson(line)
      if (isHistoryEntry(entry)) return entry
      throw new LoopaiError(
        'INTEGRITY',
        `the history of ${id} has a line that is no entry, here or upstream`,
        {
          hint: 'find it with: loopai check',
        },
      )
    })
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function messageOf(name: string, plans: SyncPlan[]): string {
  const lines = plans.flatMap(({ loop_app_id: id, renumbered, not_promoted, active }) => [
    ...renumbered.map(({ from, to, digest }) => `${id}: our v${from} is v${to} now (${digest.slice(0, 19)})`),
    ...(not_promoted === null ? [] : [`${id}: v${not_promoted} is not promoted, upstream has v${active}`]),
  ])
  return [
    `loopai: sync with ${name}`,
    ...(lines.length > 0 ? [lines.join('\n')] : []),
    'Loopai-Op: sync\n',
  ].join('\n\n')
}
