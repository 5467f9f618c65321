import { type Diff, diff } from '../actions/diff.ts'
import { describeScore } from '../domain/scorecard.ts'
import { printable } from '../terminal/errors.ts'
import { describePatch } from '../terminal/patch.ts'
import { describeComparison } from '../terminal/report.ts'
import type { Style } from '../terminal/style.ts'
import type { CommandFile } from './command.ts'
import { wholeNumber } from './options.ts'

interface Options {
  replay?: number
  exitCode?: boolean
  full?: boolean
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>')
      .argument('[a]', 'a version; alone, it is compared with the active one')
      .argument('[b]', 'the version that a is compared with')
      .option('--replay <n>', 'let both answer the last n recorded inputs', wholeNumber(1))
      .option('--exit-code', 'exit 3 when there is a difference')
      .option('--full', 'with long lines and long files to their end')
      .option('--unsandboxed', 'replay without a sandbox')
      .addHelpText('after', '\nWithout versions: from the active one to the latest.')
  },

  async run({ workspace, terminal }, [app, from, to], { exitCode, full, ...options }: Options) {
    const found = await diff(workspace, { app: app!, from, to, ...options })
    const { flags, print, printJson } = terminal
    if (flags.json) printJson(found)
    else if (flags.quiet) print(found.same ? 'same' : 'different')
    else print(describe(found, await terminal.style(), full).join('\n'))
    return exitCode && !found.same ? 3 : 0
  },
}

export default command

function describe(found: Diff, style: Style, full: boolean | undefined): string[] {
  const { from, to, contract, scores, replay } = found
  const head = style.bold(`${found.loop_app_id} v${from.version} -> v${to.version}`)
  if (from.digest === to.digest) return [head, 'the same program and contract', ...replayLines(replay)]
  const score = (version: number, value: typeof scores.from) =>
    value ? [`v${version} held-out accuracy at birth ${describeScore(value)}`] : []
  return [
    head,
    ...describePatch(found.patch, style, full),
    ...contract.map(
      ({ key, from, to }) => `contract: ${key} ${JSON.stringify(from)} -> ${JSON.stringify(to)}`,
    ),
    ...score(from.version, scores.from),
    ...score(to.version, scores.to),
    ...(scores.comparison?.rows ? [describeComparison({ version: from.version, ...scores.comparison })] : []),
    ...replayLines(replay),
  ]
}

function replayLines(replay: Diff['replay']): string[] {
  if (!replay) return []
  const { inputs, changed } = replay
  const shown = (value: unknown) => printable(JSON.stringify(value))
  return [
    `replay: ${changed.length} of ${inputs} recorded inputs are answered differently`,
    ...changed.map(({ input, from, to }) => `  ${shown(input)}: ${shown(from)} -> ${shown(to)}`),
  ]
}
