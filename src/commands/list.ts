import { Option } from 'commander'
import { type ListedApp, list } from '../actions/list.ts'
import { percent } from '../domain/scorecard.ts'
import { table } from '../terminal/table.ts'
import type { CommandFile } from './command.ts'

const STATES = ['active', 'draft', 'paused', 'archived', 'broken']
const HEAD = ['APP', 'ACTIVE', 'LATEST', 'STATE', 'ACCURACY']

const command: CommandFile = {
  define(command) {
    command
      .option('--all', 'with the archived ones')
      .addOption(new Option('--state <state>', 'only apps in this state').choices(STATES))
  },

  async run({ workspace, terminal }, _args, { all, state }: { all?: boolean; state?: string }) {
    const isWanted = (app: ListedApp) => (state ? app.state === state : all || app.state !== 'archived')
    const apps = (await list(workspace)).filter(isWanted)
    if (terminal.flags.json) return terminal.printJson(apps)
    if (terminal.flags.quiet) {
      for (const app of apps) terminal.print(app.loop_app_id)
      return
    }
    if (apps.length === 0) {
      if (state) return terminal.note(`no Loop App is ${state}`)
      terminal.note('there is no Loop App yet')
      return terminal.next('loopai create spam-detector-001')
    }
    const { bold } = await terminal.style()
    const [head, ...rows] = table([HEAD, ...apps.map(rowOf)]).split('\n')
    terminal.print([bold(head!), ...rows].join('\n'))
  },
}

export default command

function rowOf(app: ListedApp): string[] {
  const { loop_app_id, active_version, latest_version, state, score, problem, fix } = app
  const version = (number: number | null) => (number === null ? '-' : `v${number}`)
  const accuracy = score?.accuracy == null ? '-' : `${percent(score.accuracy)} %`
  const trouble = problem && (fix ? `${problem}; ${fix}` : problem)
  return [loop_app_id, version(active_version), version(latest_version), state, trouble ?? accuracy]
}
