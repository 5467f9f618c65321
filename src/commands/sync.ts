import { type Synced, type SyncOptions, sync } from '../actions/sync.ts'
import { count } from '../terminal/count.ts'
import type { CommandFile } from './command.ts'

const command: CommandFile = {
  define(command) {
    command
      .option('--pull', 'only bring in what is upstream; send nothing')
      .option('--dry-run', 'say what would happen, and stop')
  },

  async run({ workspace, terminal }, _args, options: SyncOptions) {
    const synced = await sync(workspace, options)
    const { flags, next, print, printJson } = terminal
    if (flags.json) return printJson(synced)
    if (flags.quiet) return print(synced.commit ?? (synced.pulled || synced.pushed ? 'changed' : 'unchanged'))
    print(describe(synced, options).join('\n'))
    for (const { loop_app_id: id, not_promoted: version } of synced.apps) {
      if (version !== null) next(`loopai promote ${id} v${version}`)
    }
  },
}

export default command

function describe(
  { upstream, ahead, behind, apps, pulled, pushed }: Synced,
  { dryRun: isDry = false, pull = false }: SyncOptions,
): string[] {
  if (ahead === 0 && behind === 0) return [`${upstream} and this clone are the same`]
  const commits = (number: number) => count(number, 'commit')
  const details = apps.flatMap(({ loop_app_id: id, renumbered, not_promoted, active }) => [
    ...renumbered.map(
      ({ from, to }) =>
        `  ${id}: our v${from} ${isDry ? 'would become' : 'is now'} v${to}, upstream has another v${from}`,
    ),
    ...(not_promoted === null
      ? []
      : [
          `  ${id}: v${not_promoted} is not promoted, upstream has promoted ${active === null ? 'nothing' : `v${active}`}`,
        ]),
  ])
  return [
    ...(pulled || (isDry && behind > 0)
      ? [`${isDry ? 'would bring in' : 'brought in'} ${commits(behind)} of ${upstream}`]
      : []),
    ...details,
    ...(pushed || (isDry && !pull && ahead > 0)
      ? [`${isDry ? 'would send' : 'sent'} ${commits(ahead)} to ${upstream}`]
      : []),
    ...(!pushed && !isDry && ahead > 0
      ? [`${commits(ahead)} of ours ${ahead === 1 ? 'is' : 'are'} not sent yet`]
      : []),
  ]
}
