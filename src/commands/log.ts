import { Option } from 'commander'
import { type LogEntry, log } from '../actions/log.ts'
import { shortDigest } from '../domain/version.ts'
import { printable } from '../terminal/errors.ts'
import { table } from '../terminal/table.ts'
import type { CommandFile } from './command.ts'
import { moment } from './options.ts'

interface Options {
  since?: Date
  op?: string
}

const OPERATIONS = [
  ...['generate', 'improve', 'add', 'import', 'promote', 'rollback', 'mark', 'remove'],
  ...['pause', 'resume', 'archive', 'canary-start', 'canary-step', 'canary-end'],
]

const command: CommandFile = {
  define(command) {
    command
      .argument('[app]', 'default: all apps')
      .option('--since <date>', 'only what happened since then', moment)
      .addOption(new Option('--op <name>', 'only what was done so').choices(OPERATIONS))
  },

  async run({ workspace, terminal }, [app], options: Options) {
    const entries = await log(workspace, { app, ...options })
    const { flags, note, print, printJson } = terminal
    if (flags.json) {
      for (const entry of entries) printJson(entry, 'line')
    } else if (entries.length === 0)
      note(options.op || options.since ? 'nothing like it has happened' : 'nothing has happened yet')
    else print(table(entries.map(entry => rowOf(entry, app === undefined))))
  },
}

export default command

function rowOf(entry: LogEntry, withApp: boolean): string[] {
  const { loop_app_id, at, op, from, to, digest, by, reason, forced, mark, former_numbers } = entry
  const isFlip = op === 'promote' || op === 'rollback'
  const change = isFlip && from !== null ? `v${from} -> v${to}` : to === null ? '' : `v${to}`
  const remarks = [
    former_numbers && `was ${former_numbers.map(number => `v${number}`).join(', ')} before a sync`,
    forced && 'forced',
    mark && isFlip && from !== null && `v${from} ${mark}`,
    reason && `"${reason}"`,
  ]
  return [
    at.slice(0, 19).replace('T', ' '),
    ...(withApp ? [loop_app_id] : []),
    op,
    change,
    digest ? shortDigest(digest) : '',
    printable(by.replace(/ <.*/, '')),
    printable(remarks.filter(Boolean).join(', ')),
  ]
}
