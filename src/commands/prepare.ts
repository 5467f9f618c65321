import { type Prepared, prepare } from '../actions/prepare.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command
      .argument('[app[@version]]', 'default: the active versions of all apps')
      .option('--all', 'all versions, not only the active ones')
  },

  async run({ workspace, terminal }, [address], options: { all?: boolean }) {
    const prepared = await prepare(workspace, { address, ...options })
    const { flags, print, printJson } = terminal
    if (flags.json) return printJson({ changed: prepared.some(({ changed }) => changed), versions: prepared })
    if (flags.quiet) {
      for (const { loop_app_id, version, changed } of prepared)
        if (changed) print(`${loop_app_id}@v${version}`)
      return
    }
    if (prepared.length === 0) print('nothing is needed beside the standard library')
    for (const one of prepared) print(describe(one))
  },
}

export default command

function describe({ loop_app_id, version, packages, changed }: Prepared): string {
  const what = packages.map(name => name.replace('==', ' ')).join(', ')
  return `${loop_app_id} v${version}: ${changed ? 'installed' : 'has'} ${what}`
}
