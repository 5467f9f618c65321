import type { Workspace } from '../actions/workspace.ts'
import { isLoopbackHost } from '../domain/asks.ts'
import { LoopaiError } from '../domain/errors.ts'
import { listen } from '../server/listen.ts'
import { createLog, type Log } from '../server/log.ts'
import { createService } from '../server/service.ts'
import type { CommandFile, Session } from './command.ts'
import { wholeNumber } from './options.ts'

interface Options {
  host: string
  port: number
  tokenEnv?: string
  insecure?: boolean
  maxRate?: number
  unsandboxed?: boolean
}

const command: CommandFile = {
  define(command) {
    command
      .argument('[app...]', 'the apps to serve; default: all')
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .option('--port <number>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 8080)
      .option('--token-env <name>', 'environment variable with the token that each request has to bring')
      .option('--insecure', 'without a token, answer under every name and on every address')
      .option(
        '--max-rate <number>',
        'calls of an app in a second; more are answered with 429',
        wholeNumber(1),
      )
      .option('--unsandboxed', 'run the programs with all your rights')
      .addHelpText(
        'after',
        `
Examples:
  loopai serve
  curl -s -H 'Content-Type: application/json' -d '{"input": {"text": "You have won!"}}' \\
    http://127.0.0.1:8080/loop-apps/spam-detector-001/execute
  LOOPAI_TOKEN=… loopai serve --host 0.0.0.0 --token-env LOOPAI_TOKEN

GET /openapi.json says what can be asked. /healthz and /readyz need no token.
Promotions are followed. SIGTERM lets requests end, 30 seconds at most.`,
      )
  },

  async run(
    { workspace, terminal }: Session,
    args,
    { host, port, tokenEnv, insecure, maxRate, unsandboxed }: Options,
  ) {
    const token = tokenEnv === undefined ? undefined : readToken(workspace, tokenEnv)
    if (!isLoopbackHost(host) && token === undefined && !insecure) {
      throw new LoopaiError('USAGE', `${host} can be reached by others, and no token is asked for`, {
        hint: 'name an environment variable with a token: --token-env LOOPAI_TOKEN   (or add --insecure)',
      })
    }
    const log = await createLog()
    if (unsandboxed) log.warn({}, 'the programs run without a sandbox, with all rights of this user')
    const service = await createService(reportingTo(log, workspace), {
      ids: args.flat().filter(id => id !== undefined),
      token,
      isLocal: !insecure,
      log,
      maxRate,
      unsandboxed,
    })
    try {
      const listening = await listen(service, { host, port })
      if (terminal.flags.json) terminal.printJson({ url: listening.url }, 'line')
      else terminal.print(`serving on ${listening.url}`)
      await untilAborted(workspace.signal)
      log.info({}, 'stopping')
      service.drain()
      await listening.close()
    } finally {
      await service.close()
      log.flush()
    }
  },
}

export default command

function readToken({ env }: Workspace, name: string): string {
  const token = env[name]
  if (token) return token
  throw new LoopaiError('MISSING_VALUE', `the environment variable ${name} holds no token`, {
    hint: `make one: export ${name}=$(openssl rand -hex 32)`,
  })
}

/** What is told to a person elsewhere is a line of the log here. */
function reportingTo(log: Log, workspace: Workspace): Workspace {
  return { ...workspace, report: sentence => log.warn({}, sentence), progress: () => {} }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
