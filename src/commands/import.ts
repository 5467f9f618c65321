import { importArchive } from '../actions/import.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command
      .argument('<file>', 'what loopai export has made')
      .option('--as <app>', 'id that the app gets here, or app that the version joins')
  },

  async run({ workspace, terminal }, [file], { as }: { as?: string }) {
    const imported = await importArchive(workspace, { file: file!, as })
    const { flags, next, print, printJson } = terminal
    if (flags.json) return printJson(imported)
    const { loop_app_id: id, version, versions, active, changed } = imported
    if (flags.quiet) return print(version === null ? id : `v${version}`)
    if (version === null) {
      const state = active === null ? 'nothing is active' : `v${active} is active`
      print(`imported ${id} with ${versions} ${versions === 1 ? 'version' : 'versions'}; ${state}`)
    } else print(changed ? `imported ${id} v${version}` : `${id} v${version} is this program already`)
    if (active === null || version !== null) next(`loopai promote ${id}`)
  },
}

export default command
