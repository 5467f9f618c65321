import { Command, CommanderError, Option } from 'commander'
import { createWorkspace, type Workspace } from './actions/workspace.ts'
import { COMMANDS } from './commands/index.ts'
import { LoopaiError } from './domain/errors.ts'
import { LOOPAI_VERSION } from './package.ts'
import { printError } from './terminal/errors.ts'
import { createTerminal, type GlobalFlags } from './terminal/terminal.ts'

type GlobalOptions = Partial<GlobalFlags> & Pick<Workspace, 'dir' | 'message' | 'commit'>
const NO_FLAGS: GlobalFlags = {
  json: false,
  quiet: false,
  verbose: false,
  yes: false,
  input: true,
  color: true,
}

/** The command line: `argv` as a process gets it. Returns the exit status. */
export async function main(argv: string[]): Promise<number> {
  const args = argv.slice(2)
  const flags = {
    json: args.includes('--json'),
    color: !args.includes('--no-color'),
    verbose: args.includes('-v') || args.includes('--verbose'),
  }
  const interruption = interruptible()
  try {
    if (args[0] === '--version' || args[0] === '-V') {
      process.stdout.write(`${LOOPAI_VERSION}\n`)
      return 0
    }
    return await parse(args, interruption.signal)
  } catch (error) {
    if (error instanceof CommanderError) return await settle(error, args, flags)
    const isAborted = interruption.signal.aborted && (error as Error)?.name === 'AbortError'
    return await printError(isAborted ? interruption.signal.reason : error, flags)
  } finally {
    interruption.stop()
  }
}

async function parse(args: string[], signal: AbortSignal): Promise<number> {
  let status = 0
  const program = createProgram()
  for (const [name, { summary, alias }] of Object.entries(COMMANDS)) {
    const command = program.command(name).summary(summary)
    if (alias) command.alias(alias)
  }
  program.hook('preSubcommand', async (_, command) => {
    const { default: file } = await COMMANDS[command.name()]!.load()
    command.description(COMMANDS[command.name()]!.summary)
    file.define(command)
    command.action(async () => {
      const { dir, message, commit, ...flags } = program.opts<GlobalOptions>()
      const terminal = createTerminal({ ...NO_FLAGS, ...flags }, process.env)
      const { note: report, progress } = terminal
      const workspace = createWorkspace({ dir, message, commit, signal, report, progress })
      try {
        const result = await file.run({ workspace, terminal }, command.processedArgs, command.opts())
        if (typeof result === 'number') status = result
      } finally {
        terminal.settle()
      }
    })
  })
  await program.parseAsync(asHelpFlag(args), { from: 'user' })
  return status
}

function createProgram(): Command {
  return new Command('loopai')
    .description('Small programs in place of repeated language-model calls: learned, versioned, run locally.')
    .addOption(new Option('-C, --dir <folder>', 'the data directory (else LOOPAI_DIR, else the nearest one)'))
    .option('--json', 'machine-readable output')
    .option('-q, --quiet', 'ids only, and no progress')
    .option('-v, --verbose', 'with an error, all that is known of it')
    .option('-y, --yes', 'take every default without asking')
    .option('--no-input', 'never ask')
    .option('--no-color', 'no colours')
    .option('--no-commit', 'write files and leave git alone')
    .option('-m, --message <text>', 'the reason, kept in git and in the history')
    .usage('<command> [options]')
    .helpOption('-h, --help', 'show help, also for a command: loopai exec --help')
    .helpCommand(false)
    .addHelpText('after', '\n`loopai --version` prints the version.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
    .exitOverride()
}

/** `loopai help exec` reads as `loopai exec --help`, whose options are defined by then. */
function asHelpFlag(args: string[]): string[] {
  if (args.length === 0) return ['--help']
  return args[0] === 'help' ? [...args.slice(1), '--help'] : args
}

/** Help is no error; anything else that commander refuses is a matter of usage. */
function settle(
  error: CommanderError,
  args: string[],
  flags: Pick<GlobalFlags, 'json' | 'color' | 'verbose'>,
): number | Promise<number> {
  if (error.exitCode === 0) return 0
  const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
  const command = args.find(argument => argument in COMMANDS)
  const hint = command ? `loopai ${command} --help shows what it takes` : 'loopai --help lists the commands'
  const meant = suggestion?.replace(/[()]/g, '').replace(/^D/, 'd')
  return printError(new LoopaiError('USAGE', message!, { hint: meant ?? hint }), flags)
}

/** The first Ctrl-C asks to stop, the second one stops. */
function interruptible() {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new LoopaiError('INTERRUPTED', 'interrupted'))
  }
  const onBrokenPipe = (error: NodeJS.ErrnoException) => {
    // Whoever read our output has seen enough.
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.stdout.on('error', onBrokenPipe)
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
