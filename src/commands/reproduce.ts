import { describeReproduction, reproduce } from '../actions/reproduce.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command.argument('<app[@version]>', 'default: its active version')
  },

  async run({ workspace, terminal }, [address]) {
    const reproduced = await reproduce(workspace, address!)
    const { flags, note, print, printJson } = terminal
    if (flags.json) printJson(reproduced)
    else if (flags.quiet) print(reproduced.outcome)
    else {
      for (const difference of reproduced.differences) note(difference)
      print(`${reproduced.loop_app_id} ${describeReproduction(reproduced)}`)
    }
    return reproduced.outcome === 'pass' ? 0 : 3
  },
}

export default command
