import path from 'node:path'
import { init } from '../actions/init.ts'
import type { CommandFile } from './command.ts'

interface Options {
  with?: string
}

const command: CommandFile = {
  define(command) {
    command
      .argument('[dir]', 'folder to make a data directory of; default: loopai-data')
      .option('--with <names>', 'files to add, separated by commas: docker, github-actions')
  },

  async run({ workspace, terminal }, [dir], { with: extras }: Options) {
    const result = await init(
      workspace,
      dir,
      extras?.split(',').map(name => name.trim()),
    )
    if (terminal.flags.json) return terminal.printJson(result)
    const place = path.relative(workspace.cwd, result.root) || '.'
    const state = result.changed ? 'is a data directory now' : 'was a data directory already'
    terminal.print(terminal.flags.quiet ? result.root : `${place} ${state}`)
    if (!terminal.flags.quiet) {
      for (const { loop_app_id: id, versions, active } of result.adopted) {
        const live = active === null ? 'nothing is active' : `v${active} is active`
        terminal.print(`adopted ${id} with ${versions.map(number => `v${number}`).join(', ')}; ${live}`)
      }
      if (result.workflow) terminal.print(path.relative(workspace.cwd, result.workflow))
    }
    terminal.next('loopai create spam-detector-001')
  },
}

export default command
