import { add } from '../actions/add.ts'
import { describeChecks, describeReport } from '../terminal/report.ts'
import type { CommandFile } from './command.ts'

interface Options {
  from?: string
  entry?: string
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>')
      .argument('[path]', "file or folder with the program; default: the app's draft/")
      .option('--from <app@version>', 'take the files of a version instead')
      .option('--entry <file>', 'the file that defines execute(input_data); default: program.py')
      .option('--unsandboxed', 'run the checks without a sandbox')
  },

  async run({ workspace, terminal }, [app, path], options: Options) {
    const added = await add(workspace, { app: app!, path, ...options })
    const { flags, note, next, print, printJson } = terminal
    if (flags.json) return printJson(added)
    const name = `v${added.version}`
    if (flags.quiet) return print(name)
    note([...describeChecks(added.checks, await terminal.style()), ...describeReport(added.score)].join('\n'))
    print(added.changed ? `added ${app} ${name}` : `${app} ${name} is this program already`)
    next(`loopai promote ${app} ${name}`)
  },
}

export default command
