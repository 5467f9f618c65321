import { rollback } from '../actions/rollback.ts'
import type { CommandFile } from './command.ts'

interface Options {
  to?: string
  keepGood?: boolean
  push?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>', 'an app, or app@version to say where to')
      .option('--to <version>', 'instead of the version that was active before')
      .option('--keep-good', 'do not mark the version that is left as bad')
      .option('--push', 'send it to the branch that this one follows')
  },

  async run({ workspace, terminal }, [app], options: Options) {
    const result = await rollback(workspace, { app: app!, ...options })
    const { flags, print, printJson } = terminal
    if (flags.json) return printJson(result)
    if (flags.quiet) return print(`v${result.to}`)
    const mark = result.marked ? `; v${result.from} is marked ${result.marked}` : ''
    const from = result.from === null ? '-> ' : `v${result.from} -> `
    print(
      result.changed
        ? `rolled back ${result.loop_app_id} ${from}v${result.to}${mark}`
        : `${result.loop_app_id} v${result.to} is active already`,
    )
    if (result.pushed) print(`sent to ${result.pushed}`)
  },
}

export default command
