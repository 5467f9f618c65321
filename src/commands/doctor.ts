import { type Diagnosis, doctor } from '../actions/doctor.ts'
import { describeFindings } from '../terminal/findings.ts'
import { table } from '../terminal/table.ts'
import type { CommandFile } from './command.ts'

interface Options {
  fix?: boolean
  deep?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .option('--fix', 'mend what can be mended without losing anything')
      .option('--deep', 'compare every version with its digest anew, and read every record')
  },

  async run({ workspace, terminal }, _args, options: Options) {
    const diagnosis = await doctor(workspace, options)
    const { flags, print, printJson } = terminal
    const { findings, fixed } = diagnosis
    const style = await terminal.style()
    if (flags.json) printJson(diagnosis)
    else if (flags.quiet) for (const { message } of findings) print(message)
    else {
      const mended = fixed.map(message => `${style.green('✓')} mended: ${message}`)
      const verdict = findings.length === 0 ? ['nothing is wrong'] : describeFindings(findings, style)
      print([table(factsOf(diagnosis)), ...mended, ...verdict].join('\n'))
    }
    return findings.length === 0 ? 0 : 7
  },
}

export default command

function factsOf({ node, git, python, sandbox, root }: Diagnosis): string[][] {
  const lacks = sandbox?.lacks.length ? `, without ${sandbox.lacks.join(', ')}` : ''
  return [
    ['node', node],
    ['git', git ?? 'none'],
    ['python', python ?? 'none'],
    ['sandbox', sandbox ? `${sandbox.tier}${lacks}` : 'none'],
    ['data directory', root ?? 'none here'],
  ]
}
