import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type Generated, type GenerateRequest, generate, type Proposal } from '../actions/generate.ts'
import { promote } from '../actions/promote.ts'
import { LoopaiError } from '../domain/errors.ts'
import { printable } from '../terminal/errors.ts'
import { askChoice, askLines, askText, askYes } from '../terminal/prompt.ts'
import { describeQuality } from '../terminal/quality.ts'
import { describeChecks, describeComparison, describeReport } from '../terminal/report.ts'
import type { CommandFile, Session } from './command.ts'
import { type ColumnOptions, columnsOf, defineColumns, wholeNumber } from './options.ts'

interface Options extends ColumnOptions {
  generator?: string
  strategy?: string
  examples?: string
  seed?: number
  model?: string
  candidates?: number
  hybrid?: boolean
  promote?: boolean
  dryRun?: boolean
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>')
      .option(
        '--generator <name>',
        'who writes it: learn, llm, command, template; default: generator.use in config.yaml',
      )
      .option('--strategy <name>', 'how the learner goes about it')
      .option(
        '--examples <file>',
        'labelled rows that join those of the app (JSONL, JSON, CSV, TSV; - for stdin)',
      )
    defineColumns(command)
    command
      .option('--model <name>', 'language model, for --generator llm')
      .option(
        '-n, --candidates <number>',
        'programs to have written, of which the best is taken (llm, command)',
        wholeNumber(1),
      )
      .option('--hybrid', 'learn first, and have it written around what was learned (llm, command)')
      .option('--seed <number>', 'for everything random', wholeNumber(0))
      .option('--promote', 'promote the new version when the gate lets it')
      .option('--dry-run', 'show what would become a version, and stop')
      .option('--unsandboxed', 'run the checks without a sandbox')
  },

  async run(session, [app], options: Options) {
    const { workspace, terminal } = session
    const { promote: isPromoting, label: _label, map: _map, ...rest } = options
    const request = { app: app!, ...rest, columns: columnsOf(options) }
    const generated = await generateOrAsk(session, {
      ...request,
      ...(terminal.canAsk && { accept: proposal => confirm(session, proposal) }),
    })
    const isNew = generated.version !== null
    const promoted =
      isPromoting && isNew
        ? await promote(workspace, { address: app!, version: `v${generated.version}` })
        : null
    if (terminal.flags.json) return terminal.printJson({ ...generated, promoted })
    await print(session, generated, options)
    if (promoted?.changed) {
      if (!terminal.flags.quiet) terminal.print(`promoted ${app} v${promoted.to}`)
    } else if (isNew) terminal.next(`loopai promote ${app} v${generated.version}`)
  },
}

export default command

async function confirm(session: Session, proposal: Proposal): Promise<boolean> {
  session.terminal.note(await describe(session, proposal))
  return askYes(`Keep it as a new version of ${proposal.loop_app_id}?`)
}

async function print(session: Session, generated: Generated, { dryRun }: Options): Promise<void> {
  const { flags, canAsk, note, print } = session.terminal
  const { loop_app_id: id, version, changed, draft, digest } = generated
  const name = `v${version}`
  if (flags.quiet) {
    if (version !== null) print(name)
    return
  }
  if (draft !== null) {
    if (dryRun) return print(`a skeleton would be written to ${draft}`)
    print(`${changed ? 'wrote' : 'kept'} the skeleton in ${draft}`)
    return session.terminal.next(`edit ${draft}/program.py, then: loopai add ${id}`)
  }
  if (!canAsk && generated.checks) note(await describe(session, generated as Proposal))
  if (version === null)
    print(dryRun ? `${digest} would become a new version of ${id}` : 'nothing was registered')
  else print(changed ? `added ${id} ${name}` : `${id} ${name} is this program already`)
}

async function describe({ terminal }: Session, proposal: Proposal): Promise<string> {
  const style = await terminal.style()
  const { notes, checks, score, report, compared, latency_ms, files, seconds } = proposal
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return [
    ...notes.map(printable),
    ...describeChecks(checks, style),
    ...describeReport(score),
    ...(report ? describeQuality(report) : []),
    ...(compared ? [describeComparison(compared)] : []),
    `${latency_ms.p50.toFixed(2)} ms a call (p95 ${latency_ms.p95.toFixed(2)}), ${Math.round(size / 1024)} KB, written in ${seconds} s`,
  ].join('\n')
}

/** Where there is nothing to learn from, a person at a terminal is offered the ways to a first program. */
async function generateOrAsk(session: Session, request: GenerateRequest): Promise<Generated> {
  const { workspace, terminal } = session
  try {
    return await generate(workspace, request)
  } catch (error) {
    if (!(error instanceof LoopaiError) || error.code !== 'NO_EXAMPLES' || !terminal.canAsk) throw error
    if (request.examples !== undefined) throw error
    terminal.note(error.message)
    const way = await askChoice('How do you want to begin?', [
      { name: 'name a file with labelled rows', value: 'file' as const },
      { name: 'paste a few labelled rows', value: 'paste' as const },
      { name: 'have a language model write it from the task', value: 'llm' as const },
      { name: 'write the program by hand, from a skeleton', value: 'template' as const },
    ])
    if (way === 'template' || way === 'llm') return generate(workspace, { ...request, generator: way })
    if (way === 'file') {
      return generate(workspace, { ...request, examples: await askText('File (JSONL, JSON, CSV or TSV)') })
    }
    return withPastedRows(examples => generate(workspace, { ...request, examples }))
  }
}

async function withPastedRows<Result>(use: (file: string) => Promise<Result>): Promise<Result> {
  const rows = await askLines('Paste rows, {"input": …, "output": …} a line; an empty line ends them:')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'loopai-'))
  try {
    const file = path.join(folder, 'pasted.jsonl')
    await writeFile(file, `${rows.join('\n')}\n`)
    return await use(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
