import { rollback } from '../actions/rollback.ts'
import type { CommandFile } from './command.ts'

interface Options {
  to?: string
  keepGood?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>')
      .option('--to <version>', 'instead of the version that was active before')
      .option('--keep-good', 'do not mark the version that is left as bad')
  },

  async run({ workspace, terminal }, [app], options: Options) {
    const result = await rollback(workspace, { app: app!, ...options })
    const { flags, print, printJson } = terminal
    if (flags.json) return printJson(result)
    if (flags.quiet) return print(`v${result.to}`)
    if (!result.changed) return print(`${app} v${result.to} is active already`)
    const mark = result.marked ? `; v${result.from} is marked ${result.marked}` : ''
    print(`rolled back ${app} v${result.from} -> v${result.to}${mark}`)
  },
}

export default command
