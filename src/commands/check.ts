import { appendFile } from 'node:fs/promises'
import path from 'node:path'
import { check } from '../actions/check.ts'
import { explainWriteError } from '../store/atomic.ts'
import { count } from '../terminal/count.ts'
import { describeFindings, findingsAsMarkdown } from '../terminal/findings.ts'
import type { CommandFile } from './command.ts'

interface Options {
  base?: string
  summary?: string
}

const command: CommandFile = {
  define(command) {
    command
      .option('--base <ref>', 'what a pull request is compared with, e.g. origin/main')
      .option('--summary <file>', 'append the result as Markdown')
  },

  async run({ workspace, terminal }, _args, { base, summary }: Options) {
    const checked = await check(workspace, { base })
    const { flags, print, printJson } = terminal
    const { apps, findings, outcome, versions } = checked
    const counted = `${count(versions, 'version')} of ${count(apps, 'Loop App')}`
    const title =
      findings.length === 0
        ? `${counted} ${versions === 1 ? 'is' : 'are'} sound`
        : `${count(findings.length, 'finding')} in ${counted}`
    if (summary) {
      const file = path.resolve(workspace.cwd, summary)
      await appendFile(file, findingsAsMarkdown(`loopai check: ${title}`, findings)).catch(error => {
        throw explainWriteError(error, file)
      })
    }
    if (flags.json) printJson(checked)
    else if (flags.quiet) print(outcome)
    else print([...describeFindings(findings, await terminal.style()), title].join('\n'))
    return findings.length === 0 ? 0 : 3
  },
}

export default command
