import { remove } from '../actions/remove.ts'
import { LoopaiError } from '../domain/errors.ts'
import { askYes } from '../terminal/prompt.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command.argument('<app@version>', 'its manifest stays as a tombstone, and git keeps the files')
  },

  async run({ workspace, terminal }, [address]) {
    const { canAsk, flags, print, printJson } = terminal
    if (canAsk && !(await askYes(`Take the files of ${address} away?`, false))) {
      throw new LoopaiError('INTERRUPTED', 'nothing was changed')
    }
    const removed = await remove(workspace, address!)
    if (flags.json) return printJson(removed)
    const name = `${removed.loop_app_id} v${removed.version}`
    if (flags.quiet) print(`v${removed.version}`)
    else print(removed.changed ? `removed ${name} (${removed.files} files)` : `${name} was removed already`)
  },
}

export default command
