import { type AskOfApp, listAsks, trust } from '../actions/trust.ts'
import { LoopaiError } from '../domain/errors.ts'
import { shortDigest } from '../domain/version.ts'
import { printable } from '../terminal/errors.ts'
import { askYes } from '../terminal/prompt.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command.argument('[app]', 'default: all apps').option('--packages', 'only to packages that versions need')
  },

  async run({ workspace, terminal }, [app], options: { packages?: boolean }) {
    const { canAsk, flags, note, print, printJson } = terminal
    const asks = await listAsks(workspace, { id: app, ...options })
    const open = asks.filter(({ trusted }) => !trusted)
    if (open.length > 0 && !flags.yes) {
      for (const one of open) note(describe(one))
      if (!canAsk) {
        throw new LoopaiError('MISSING_VALUE', 'agreeing needs somebody who has read it', {
          hint: `read the lines above, and agree with: ${sameCommand(app, options)} --yes`,
          details: { asks: open },
        })
      }
      if (!(await askYes('Agree to this on this machine?', false))) {
        throw new LoopaiError('INTERRUPTED', 'nothing was agreed to')
      }
    }
    const agreed = await trust(workspace, open)
    if (flags.json) return printJson({ agreed, known: asks.filter(({ trusted }) => trusted) })
    if (open.length === 0)
      print(asks.length === 0 ? 'nothing is asked' : 'all that is asked was agreed to before')
    for (const one of agreed) print(`agreed: ${describe(one)}`)
  },
}

export default command

/** What was shown is what is agreed to, and no more. */
function sameCommand(app: string | undefined, { packages }: { packages?: boolean }): string {
  return ['loopai trust', ...(app ? [app] : []), ...(packages ? ['--packages'] : [])].join(' ')
}

function describe({ loop_app_id: id, ask }: AskOfApp): string {
  return printable(`${id} asks to ${whatFor(ask)}`)
}

function whatFor(ask: AskOfApp['ask']): string {
  if (ask.kind === 'command') return `run ${JSON.stringify(ask.command)} on this machine`
  if (ask.kind === 'server') return `send examples and LOOPAI_API_KEY to ${ask.url}`
  return `install ${ask.packages.join(', ')} (${shortDigest(ask.lock)})`
}
