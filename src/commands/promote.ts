import { promote } from '../actions/promote.ts'
import { describeChecks } from '../terminal/report.ts'
import type { CommandFile } from './command.ts'
import { share } from './options.ts'

interface Options {
  expect?: string
  force?: boolean
  dryRun?: boolean
  push?: boolean
  branch?: string
  cases?: string
  min?: number
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('<app>')
      .argument('[version]', 'v3, 3, sha256:…, previous; default: latest')
      .option('--expect <version>', 'refuse unless this one is active now; none: nothing is')
      .option('--min <share>', 'share of golden cases that must be right; default: all', share)
      .option('--cases <file>', 'golden cases to use instead of tests/cases.jsonl')
      .option('--force', 'promote whatever the gate says; needs -m')
      .option('--push', 'send it to the branch that this one follows')
      .option('--branch <name>', 'send it to a branch of its own, for a pull request')
      .option('--dry-run', 'say what would happen, and stop')
      .option('--unsandboxed', 'run the gate without a sandbox')
  },

  async run({ workspace, terminal }, [address, version], options: Options) {
    const promoted = await promote(workspace, { address: address!, version, ...options })
    const { flags, next, note, print, printJson } = terminal
    const isRefused = options.dryRun && promoted.outcome !== 'pass' && !options.force
    if (flags.json) printJson(promoted)
    else if (flags.quiet) print(`v${promoted.to}`)
    else {
      for (const check of describeChecks(promoted.checks, await terminal.style())) note(check)
      const { loop_app_id: id, from, to } = promoted
      const change = from === null ? `v${to}` : `v${from} -> v${to}`
      if (!promoted.changed) print(`${id} v${to} is active already`)
      else if (options.dryRun)
        print(isRefused ? `would not promote ${id} ${change}` : `would promote ${id} ${change}`)
      else print(`promoted ${id} ${change}${promoted.forced ? ' (forced)' : ''}`)
      if (promoted.pushed) print(`sent to ${promoted.pushed}`)
      if (!options.dryRun) next(`echo '{…}' | loopai exec ${id}`)
    }
    return isRefused ? 3 : 0
  },
}

export default command
