import { test } from '../actions/test.ts'
import { describeChecks, describeReport } from '../terminal/report.ts'
import type { CommandFile } from './command.ts'
import { share } from './options.ts'

interface Options {
  cases?: string
  min?: number
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app[@version]>', 'default: its latest version')
      .option('--cases <file>', 'golden cases to use instead of tests/cases.jsonl')
      .option(
        '--min <share>',
        'share of golden cases that must be right, e.g. 0.95 or 95%; default: all',
        share,
      )
      .option('--unsandboxed', 'run without a sandbox')
  },

  async run({ workspace, terminal }, [address], options: Options) {
    const tested = await test(workspace, address!, options)
    const status = tested.outcome === 'pass' ? 0 : 3
    const { flags, print, printJson } = terminal
    if (flags.json) printJson(tested)
    else if (flags.quiet) print(tested.outcome)
    else {
      const style = await terminal.style()
      const name = style.bold(`${tested.loop_app_id} v${tested.version}`)
      const lines = [...describeReport(tested.score), ...describeChecks(tested.checks, style)]
      print([name, ...lines, tested.outcome].join('\n'))
    }
    return status
  },
}

export default command
