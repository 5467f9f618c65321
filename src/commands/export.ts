import path from 'node:path'
import { exportApp } from '../actions/export.ts'
import type { CommandFile } from './command.ts'

interface Options {
  output?: string
  withDatasets?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument(
        '<app[@version]>',
        'with a version: that one alone, with the cases and examples that judge it',
      )
      .option('-o, --output <file>', 'default: <app>.tgz here')
      .option('--with-datasets', 'with recorded executions and validations, which may be private')
  },

  async run({ workspace, terminal }, [address], options: Options) {
    const exported = await exportApp(workspace, { address: address!, ...options })
    const { flags, next, print, printJson } = terminal
    if (flags.json) return printJson(exported)
    if (flags.quiet) return print(exported.path)
    const place = path.relative(workspace.cwd, exported.path)
    print(`exported ${address} to ${place} (${exported.files} files, ${Math.ceil(exported.bytes / 1024)} KB)`)
    next(`loopai import ${place}   in another data directory`)
  },
}

export default command
