import { Argument } from 'commander'
import { mark } from '../actions/mark.ts'
import type { Mark } from '../domain/history.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command
      .argument('<app@version>')
      .addArgument(new Argument('<judgement>', 'good takes an earlier judgement back').choices(JUDGEMENTS))
  },

  async run({ workspace, terminal }, [address, judgement]) {
    const marked = await mark(workspace, address!, judgement as Mark)
    const { flags, next, print, printJson } = terminal
    if (flags.json) return printJson(marked)
    const name = `${marked.loop_app_id} v${marked.version}`
    print(flags.quiet ? marked.mark : `${name} is marked ${marked.mark}${marked.changed ? '' : ' already'}`)
    if (marked.mark === 'bad') next(`loopai rollback ${marked.loop_app_id}   if it is the active one`)
  },
}

export default command

const JUDGEMENTS: Mark[] = ['bad', 'good', 'deprecated']
