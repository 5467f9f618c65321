import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { type Shown, type ShownApp, type ShownVersionInFull, show } from '../actions/show.ts'
import { type ShownMoment, showAt } from '../actions/show-at.ts'
import type { Workspace } from '../actions/workspace.ts'
import { describeScore, percent } from '../domain/scorecard.ts'
import { shortDigest } from '../domain/version.ts'
import { explainWriteError, replaceFile } from '../store/atomic.ts'
import { printable } from '../terminal/errors.ts'
import { reportPage } from '../terminal/page.ts'
import { describeQuality } from '../terminal/quality.ts'
import { describeComparison, describeParts } from '../terminal/report.ts'
import { table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { CommandFile } from './command.ts'
import { moment } from './options.ts'

interface Options {
  path?: boolean
  at?: Date
  html?: string
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app[@version]>', 'e.g. spam-detector-001, spam-detector-001@v2, spam-detector-001@latest')
      .option('--path', 'print only where it is')
      .option('--at <time>', 'what was live then, e.g. 2026-01-31T12:00Z', moment)
      .option('--html <file>', 'write the report of a version as a page with plots; default: the active one')
  },

  async run({ workspace, terminal }, [address], options: Options) {
    const { flags, print, printJson } = terminal
    if (options.at) {
      const then = await showAt(workspace, address!, options.at)
      return flags.json ? printJson(then) : print(flags.quiet ? nameOf(then) : momentLine(then))
    }
    const shown = await show(workspace, address!)
    if (options.html !== undefined) return writePage(workspace, terminal, { shown, file: options.html })
    const what = 'app' in shown ? shown.app : shown.version
    if (options.path) return print(what.path)
    if (flags.json) return printJson(what)
    if (flags.quiet) return print('app' in shown ? shown.app.loop_app_id : `v${shown.version.version}`)
    const { bold } = await terminal.style()
    const [head, ...lines] = 'app' in shown ? appLines(shown.app) : versionLines(shown.version)
    print([bold(head!), ...lines].join('\n'))
    if ('app' in shown) suggest(shown.app, terminal.next)
  },
}

export default command

function nameOf({ version }: ShownMoment): string {
  return version === null ? 'nothing' : `v${version}`
}

function momentLine(then: ShownMoment): string {
  const state = then.state === 'active' ? '' : `, ${then.state}`
  const since = then.since ? ` since ${then.since}, by ${printable(then.by!)}` : ''
  const reason = then.reason ? `: ${printable(then.reason)}` : ''
  return `${then.loop_app_id} at ${then.at}: ${nameOf(then)} was active${since}${reason}${state}`
}

async function writePage(
  workspace: Workspace,
  terminal: Terminal,
  { shown, file }: { shown: Shown; file: string },
): Promise<void> {
  const version = 'version' in shown ? shown.version : await servedVersion(workspace, shown.app)
  await mkdir(path.dirname(file), { recursive: true }).catch(error => {
    throw explainWriteError(error, file)
  })
  await replaceFile(file, reportPage(version))
  if (terminal.flags.json) terminal.printJson({ file, version: version.version })
  else
    terminal.print(
      terminal.flags.quiet
        ? file
        : `wrote the report of ${version.loop_app_id} v${version.version} to ${file}`,
    )
}

async function servedVersion(workspace: Workspace, app: ShownApp): Promise<ShownVersionInFull> {
  const shown = await show(
    workspace,
    `${app.loop_app_id}@${app.active_version === null ? 'latest' : 'active'}`,
  )
  if ('version' in shown) return shown.version
  throw new Error('a version was asked for, and an app was shown')
}

/** Accuracy is a share of rows; other metrics have no per cent. */
function targetOf({ targets: { metric, accuracy } }: ShownApp): string {
  return metric === 'accuracy' ? `accuracy ${percent(accuracy)} %` : `${metric} ${accuracy}`
}

function appLines(app: ShownApp): string[] {
  const active = app.active_version === null ? 'none' : `v${app.active_version}`
  const facts = [
    ['task', printable(app.task.trim()).replaceAll('\n', ' ')],
    ['folder', path.relative(process.cwd(), app.path) || '.'],
    ['endpoint', `POST ${app.endpoint}`],
    [
      'active',
      `${active}${app.held ? ', automatic promotion is held until somebody promotes or resumes' : ''}`,
    ],
    ...(app.state === 'active' ? [] : [['state', app.state]]),
    ['labelled rows', `${app.examples} examples, ${app.cases} golden cases`],
    ['target', targetOf(app)],
  ]
  const versions = app.versions.map(({ version, status, score, origin, created_at, digest }) => [
    `v${version}`,
    status,
    score?.accuracy == null ? '-' : `${percent(score.accuracy)} %`,
    origin.made_of?.map(part => part.generator).join(' + ') ?? origin.generator ?? origin.kind,
    created_at.slice(0, 16).replace('T', ' '),
    shortDigest(digest),
  ])
  const moved =
    app.config_moved.length > 0
      ? [
          '',
          `config.yaml has moved away from ${active} (${app.config_moved.join(', ')}): the next version takes it over`,
        ]
      : []
  const broken = app.broken.map(({ problem, fix }) => [problem, fix].filter(Boolean).join('; '))
  const list =
    versions.length > 0
      ? ['', table([['VERSION', 'STATUS', 'ACCURACY', 'BY', 'MADE (UTC)', 'DIGEST'], ...versions])]
      : []
  return [
    `${app.loop_app_id}  ${printable(app.name)}`,
    table(facts),
    ...moved,
    ...list,
    ...(broken.length > 0 ? ['', ...broken] : []),
  ]
}

function versionLines(version: ShownVersionInFull): string[] {
  const { origin, score, cases } = version
  const facts = [
    ['status', version.status],
    ['digest', version.digest],
    ['made', `${version.created_at} by ${printable(version.created_by)}`],
    ['how', [origin.kind, origin.generator, origin.strategy].filter(Boolean).join(', ')],
    ...(origin.made_of ? [['made of', printable(describeParts(origin.made_of))]] : []),
    ['parent', version.parent === null ? 'none' : `v${version.parent}`],
    ['folder', path.relative(process.cwd(), version.path) || '.'],
    ['files', version.files.map(file => `${printable(file.path)} (${kilobytes(file.size)})`).join(', ')],
    ...(version.packages ? [['packages', packagesLine(version, version.packages)]] : []),
    ['held-out accuracy', score ? describeScore(score) : 'nothing to judge by'],
    ...(version.report
      ? [['a call', `${version.report.latency_ms.p50} ms (p95 ${version.report.latency_ms.p95} ms)`]]
      : []),
    ['golden cases', cases ? `${cases.passed} right, ${cases.failed.length} wrong` : 'none'],
  ]
  const quality = version.report ? describeQuality(version.report) : []
  const compared = version.compared ? [describeComparison(version.compared)] : []
  const told = [...quality, ...compared]
  const notes = (origin.notes ?? []).map(note => `  ${printable(note)}`)
  return [
    `${version.loop_app_id} v${version.version}`,
    table(facts),
    ...(told.length > 0 ? ['', ...told] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ]
}

function packagesLine(
  { loop_app_id: id, version }: ShownVersionInFull,
  { from, names, installed }: NonNullable<ShownVersionInFull['packages']>,
): string {
  const list = names.map(name => name.replace('==', ' ')).join(', ')
  const source = from === 'system' ? ', of the system' : ''
  return `${list}${source}${installed ? '' : `; not installed here: loopai prepare ${id}@v${version}`}`
}

function kilobytes(size: number): string {
  return size < 1024 ? `${size} B` : `${Math.round(size / 1024)} KB`
}

function suggest(
  { loop_app_id: id, versions, active_version, examples }: ShownApp,
  next: (text: string) => void,
) {
  const latest = versions.at(-1)
  if (!latest) next(`loopai generate ${id}${examples > 0 ? '' : ' --examples rows.jsonl'}`)
  else if (latest.version !== active_version) next(`loopai promote ${id} v${latest.version}`)
}
