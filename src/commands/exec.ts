import { availableParallelism } from 'node:os'
import { executeLines, type LineCounts, type LineResult } from '../actions/execute-lines.ts'
import type { ExecutionReply } from '../actions/executor.ts'
import { openExecutor } from '../actions/open-executor.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { ErrorKind } from '../domain/execution.ts'
import { readLineBatches } from '../store/lines.ts'
import { explainReadError } from '../store/text.ts'
import type { CommandFile, Session } from './command.ts'
import { MAX_BYTES, openInput, parseDocument, readBytes, readDocument } from './exec-input.ts'
import { wholeNumber } from './options.ts'

interface Options {
  file?: string
  raw?: boolean
  jsonl?: boolean
  skip?: number
  concurrency?: number
  timeout?: number
  record: boolean
  failFast?: boolean
  unsandboxed?: boolean
}

const PROGRESS_MS = 100

const command: CommandFile = {
  define(command) {
    command
      .argument('<app[@version]>', 'default: its active version')
      .argument('[json]', 'the input; else --file, else standard input')
      .option('--file <file>', 'read the input from a file')
      .option('--raw', 'print a string without quotes')
      .option('--jsonl', 'one input a line; one output a line, in the same order')
      .option('--skip <lines>', 'with --jsonl: leave out the first lines', wholeNumber(0))
      .option('--concurrency <number>', 'with --jsonl: processes; default: one a core', wholeNumber(1))
      .option('--fail-fast', 'with --jsonl: stop at the first line that fails')
      .option('--timeout <ms>', 'time limit of one call; default: limits.timeout_ms', wholeNumber(1))
      .option('--no-record', 'leave no record in datasets/executions')
      .option('--unsandboxed', 'run the program with all your rights')
      .addHelpText(
        'after',
        `
Examples:
  loopai exec spam-detector-001 '{"text": "You have won!"}'
  cat message.json | loopai exec spam-detector-001
  loopai exec spam-detector-001 --jsonl < messages.jsonl > answers.jsonl`,
      )
  },

  async run(session, [address, json], options: Options) {
    refuseContradictions(address!, json, options)
    if (options.unsandboxed)
      session.terminal.note('WARNING: the program runs without a sandbox, with all your rights')
    if (options.jsonl) return executeStream(session, address!, options)
    return executeOne(session, address!, json, options)
  },
}

export default command

function refuseContradictions(address: string, json: string | undefined, options: Options): void {
  const refuse = (message: string, hint: string) => {
    throw new LoopaiError('USAGE', message, { hint })
  }
  const lines = `loopai exec ${address} --jsonl < inputs.jsonl`
  if (json !== undefined && options.jsonl)
    refuse('--jsonl reads lines from standard input or --file, not from an argument', lines)
  if (json !== undefined && options.file !== undefined)
    refuse('the input is given twice, as an argument and with --file', 'leave one of them out')
  if (options.jsonl && options.raw)
    refuse('--raw prints one string; with --jsonl every line is JSON', 'leave --raw out')
  const streaming = {
    '--skip': options.skip,
    '--concurrency': options.concurrency,
    '--fail-fast': options.failFast,
  }
  const [lone] = Object.entries(streaming).find(([, value]) => value !== undefined) ?? []
  if (lone && !options.jsonl) refuse(`${lone} goes with --jsonl`, lines)
}

async function executeOne(
  { workspace, terminal }: Session,
  address: string,
  json: string | undefined,
  options: Options,
): Promise<number> {
  const { timeout: timeoutMs, record, unsandboxed, file, raw } = options
  const example = `give JSON: loopai exec ${address} '{"text": "…"}'`
  const source = json === undefined ? openInput(file) : undefined
  if (source === process.stdin && process.stdin.isTTY) {
    terminal.note('type the input as JSON, then Ctrl-D on a line of its own (or give it as an argument)')
  }
  // The process comes up while the input is read.
  const opening = openExecutor(workspace, address, { source: 'cli', timeoutMs, record, unsandboxed })
  const reading = source
    ? readDocument(source, file ?? 'standard input', example)
    : Promise.resolve().then(() => parseDocument(json!, example))
  reading.catch(() => {})
  const { signal } = workspace
  const stop = () => source?.destroy(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    // An app that cannot answer is said before an input that cannot be read, and without waiting for it.
    const executor = await opening
    const reply = await executor.execute(await reading)
    signal.throwIfAborted()
    if (reply.status !== 'success') throw failureOf(reply)
    if (terminal.flags.json) terminal.printJson(reply)
    else terminal.print(raw && typeof reply.output === 'string' ? reply.output : JSON.stringify(reply.output))
    return 0
  } finally {
    signal.removeEventListener('abort', stop)
    source?.destroy()
    await opening.then(executor => executor.close()).catch(() => {})
  }
}

async function executeStream(
  { workspace, terminal }: Session,
  address: string,
  options: Options,
): Promise<number> {
  const { timeout: timeoutMs, record, unsandboxed, skip = 0, failFast = false } = options
  const size = options.concurrency ?? availableParallelism()
  const { signal } = workspace
  const source = openInput(options.file)
  const stop = () => source.destroy()
  signal.addEventListener('abort', stop)
  const since = Date.now()
  const isDue = createPace(PROGRESS_MS)
  let counts: LineCounts | undefined
  let unrecorded = 0
  try {
    const program = { source: 'batch' as const, size, timeoutMs, record, unsandboxed }
    const executor = await openExecutor(workspace, address, program)
    counts = { lines: 0, succeeded: 0, failed: 0 }
    try {
      const limits = { concurrency: 2 * size, skip, failFast, signal }
      const bytes = readBytes(source, options.file ?? 'standard input')
      await executeLines(executor, readLineBatches(bytes, MAX_BYTES), limits, async (results, sofar) => {
        counts = sofar
        await write(results.map(result => lineOf(result, terminal.flags.json)).join(''))
        if (isDue()) terminal.progress({ stage: describeCounts(sofar, since), done: 0, total: 1 })
      })
    } finally {
      unrecorded = executor.unrecorded()
      await executor.close()
    }
  } catch (error) {
    throw explainReadError(error, options.file ?? 'standard input')
  } finally {
    signal.removeEventListener('abort', stop)
    source.destroy()
    if (counts && !terminal.flags.quiet) terminal.note(describeCounts(counts, since))
    if (unrecorded > 0) terminal.note(`${unrecorded.toLocaleString('en')} of them could not be recorded`)
  }
  return counts.failed > 0 ? 6 : 0
}

/** True at most once in so many milliseconds. */
function createPace(milliseconds: number): () => boolean {
  let next = 0
  return () => {
    const now = performance.now()
    if (now < next) return false
    next = now + milliseconds
    return true
  }
}

function describeCounts({ lines, succeeded, failed }: LineCounts, since: number): string {
  const seconds = (Date.now() - since) / 1000
  const rate = seconds > 0 ? `, ${Math.round(lines / seconds).toLocaleString('en')} a second` : ''
  const count = (number: number) => number.toLocaleString('en')
  return `${count(lines)} lines: ${count(succeeded)} answered, ${count(failed)} failed${rate}`
}

function lineOf(result: LineResult, isJson: boolean): string {
  const { index } = result
  if ('error' in result) return `${JSON.stringify({ index, error: result.error })}\n`
  const { reply } = result
  if (isJson) return `${JSON.stringify({ index, ...reply })}\n`
  return `${JSON.stringify(reply.status === 'success' ? reply.output : { index, error: reply.error })}\n`
}

/** Waits when whoever reads the output is slower than the programs. */
function write(text: string): Promise<void> | undefined {
  if (process.stdout.write(text)) return
  return new Promise(resolve => process.stdout.once('drain', () => resolve()))
}

function failureOf({ error, status, ...reply }: ExecutionReply): LoopaiError {
  const { kind, message, pointers } = error!
  return new LoopaiError(
    'PROGRAM_FAILED',
    kind === 'invalid_input' ? message : `the program failed (${kind}): ${message}`,
    {
      hint: HINTS[kind](`${reply.loop_app_id}@v${reply.version}`),
      details: { kind, status, ...(pointers && { pointers }), ...reply },
    },
  )
}

/** What to do next, by what went wrong with `app@v3`. */
const HINTS: Record<ErrorKind, (address: string) => string> = {
  invalid_input: address => `loopai show ${address} --json shows its input_schema and limits`,
  invalid_output: address => `loopai show ${address} --json shows its output_schema`,
  program_error: address => `loopai show ${address} --path says where the program is`,
  timeout: () =>
    'give it more time with --timeout, or with limits.timeout_ms in config.yaml for the next version',
  resource_limit: () => 'limits.memory_mb in config.yaml is what the next version may use',
}
