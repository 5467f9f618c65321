import { createReadStream, openSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Readable } from 'node:stream'
import { executeLines, type LineCounts, type LineResult } from '../actions/execute-lines.ts'
import { type ExecutionReply, openExecutor } from '../actions/executor.ts'
import { LoopaiError } from '../domain/errors.ts'
import { readLineBatches } from '../store/lines.ts'
import { decodeUtf8, explainReadError } from '../store/text.ts'
import { printable } from '../terminal/errors.ts'
import type { CommandFile, Session } from './command.ts'
import { wholeNumber } from './options.ts'

interface Options {
  file?: string
  raw?: boolean
  jsonl?: boolean
  skip: number
  concurrency?: number
  timeout?: number
  record: boolean
  failFast?: boolean
  unsandboxed?: boolean
}

/** Largest input, and longest line, that is read: more than any `limits.input_kb` allows. */
const MAX_BYTES = 64 * 1024 * 1024

const command: CommandFile = {
  define(command) {
    command
      .argument('<app[@version]>', 'default: its active version')
      .argument('[json]', 'the input; else --file, else standard input')
      .option('--file <file>', 'read the input from a file')
      .option('--raw', 'print a string without quotes')
      .option('--jsonl', 'one input a line; one output a line, in the same order')
      .option('--skip <lines>', 'with --jsonl: leave out the first lines', wholeNumber(0), 0)
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
    if (options.unsandboxed)
      session.terminal.note('WARNING: the program runs without a sandbox, with all your rights')
    if (json !== undefined && (options.file !== undefined || options.jsonl)) {
      throw new LoopaiError('USAGE', 'the input is given twice', {
        hint: 'give it as an argument, with --file, or on standard input; --jsonl reads lines from the latter two',
      })
    }
    if (options.jsonl) return executeStream(session, address!, options)
    return executeOne(session, address!, json, options)
  },
}

export default command

async function executeOne(
  { workspace, terminal }: Session,
  address: string,
  json: string | undefined,
  options: Options,
): Promise<number> {
  const { timeout: timeoutMs, record, unsandboxed, file, raw } = options
  // The process comes up while the input is read.
  const opening = openExecutor(workspace, address, { source: 'cli', timeoutMs, record, unsandboxed })
  opening.catch(() => {})
  try {
    const input = json === undefined ? parseInput(await readInput(terminal, file)) : parseInput(json)
    const executor = await opening
    const reply = await executor.execute(input)
    if (reply.status !== 'success') throw failureOf(reply)
    if (terminal.flags.json) terminal.printJson(reply)
    else terminal.print(raw && typeof reply.output === 'string' ? reply.output : JSON.stringify(reply.output))
    return 0
  } finally {
    await opening.then(executor => executor.close()).catch(() => {})
  }
}

async function executeStream(
  { workspace, terminal }: Session,
  address: string,
  options: Options,
): Promise<number> {
  const { timeout: timeoutMs, record, unsandboxed, skip, failFast = false } = options
  const size = options.concurrency ?? availableParallelism()
  const executor = await openExecutor(workspace, address, {
    source: 'batch',
    size,
    timeoutMs,
    record,
    unsandboxed,
  })
  const source = openInput(options.file)
  const { signal } = workspace
  const stop = () => source.destroy()
  signal.addEventListener('abort', stop)
  const since = Date.now()
  let counts: LineCounts = { lines: 0, succeeded: 0, failed: 0 }
  try {
    const limits = { concurrency: 2 * size, skip, failFast, signal }
    await executeLines(executor, readLineBatches(source, MAX_BYTES), limits, async (results, sofar) => {
      counts = sofar
      await write(results.map(result => lineOf(result, terminal.flags.json)).join(''))
      terminal.progress({ stage: describeCounts(counts, since), done: 0, total: 1 })
    })
  } catch (error) {
    throw explainReadError(error, options.file ?? 'standard input')
  } finally {
    signal.removeEventListener('abort', stop)
    source.destroy()
    await executor.close()
    if (!terminal.flags.quiet) terminal.note(describeCounts(counts, since))
  }
  return counts.failed > 0 ? 6 : 0
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
  const hint =
    kind === 'invalid_input'
      ? `loopai show ${reply.loop_app_id}@v${reply.version} --json shows its input_schema`
      : undefined
  return new LoopaiError(
    'PROGRAM_FAILED',
    kind === 'invalid_input' ? message : `the program failed (${kind}): ${message}`,
    {
      ...(hint && { hint }),
      details: { kind, status, ...(pointers && { pointers }), ...reply },
    },
  )
}

/** One JSON document. Nothing, and several documents, are refused with what to do instead. */
function parseInput(text: string): unknown {
  if (text.trim() === '') {
    throw new LoopaiError('MISSING_VALUE', 'the input is empty', {
      hint: `give JSON: loopai exec app-001 '{"text": "…"}'`,
    })
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    const lines = text.split('\n').filter(line => line.trim() !== '')
    const isStream = lines.length > 1 && isJson(lines[0]!) && isJson(lines[1]!)
    const shown = printable(text.trim().slice(0, 60))
    throw new LoopaiError(
      'INVALID_JSON',
      isStream
        ? 'the input holds several JSON documents'
        : `the input is not JSON: ${(error as Error).message}`,
      {
        hint: isStream
          ? 'use --jsonl for one input a line'
          : `JSON it would be, for instance, ${JSON.stringify(shown)} or {"text": ${JSON.stringify(shown)}}`,
      },
    )
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function readInput(terminal: Session['terminal'], file: string | undefined): Promise<string> {
  if (file === undefined && process.stdin.isTTY) {
    terminal.note('type the input as JSON, then Ctrl-D on a line of its own (or give it as an argument)')
  }
  const name = file ?? 'standard input'
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of openInput(file)) {
      size += chunk.length
      if (size > MAX_BYTES) {
        throw new LoopaiError('INPUT_TOO_LARGE', `${name} is larger than ${MAX_BYTES / 1024 / 1024} MB`, {
          hint: 'use --jsonl for many inputs',
        })
      }
      chunks.push(chunk)
    }
  } catch (error) {
    throw explainReadError(error, name)
  }
  return decodeUtf8(Buffer.concat(chunks), name)
}

function openInput(file: string | undefined): Readable {
  if (file === undefined) return process.stdin
  try {
    return createReadStream(file, { fd: openSync(file, 'r') })
  } catch (error) {
    throw explainReadError(error, file)
  }
}
