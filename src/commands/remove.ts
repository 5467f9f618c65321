import { checkRemovable, remove } from '../actions/remove.ts'
import { LoopaiError } from '../domain/errors.ts'
import { count } from '../terminal/count.ts'
import { askYes } from '../terminal/prompt.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command.argument('<app@version>', 'its manifest stays as a tombstone, and git keeps the files')
  },

  async run({ workspace, terminal }, [address]) {
    const { canAsk, flags, print, printJson } = terminal
    if (!flags.yes) {
      await checkRemovable(workspace, address!)
      if (!canAsk) {
        throw new LoopaiError('MISSING_VALUE', `taking the files of ${address} away needs a yes`, {
          hint: `loopai remove ${address} --yes`,
        })
      }
      if (!(await askYes(`Take the files of ${address} away?`, false))) {
        throw new LoopaiError('INTERRUPTED', 'nothing was changed')
      }
    }
    const removed = await remove(workspace, address!)
    if (flags.json) return printJson(removed)
    const name = `${removed.loop_app_id} v${removed.version}`
    if (flags.quiet) print(`v${removed.version}`)
    else
      print(
        removed.changed ? `removed ${name} (${count(removed.files, 'file')})` : `${name} was removed already`,
      )
  },
}

export default command
