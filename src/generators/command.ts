import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Brief, Draft, Generator, LearnedPart } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import { ABOUT_SHAPES, outwardExample, outwardFeedback, outwardPart } from '../domain/outward.ts'
import { fillPrompt } from './llm/prompt.ts'

/** All that an agent inherits: where programs are, where its own settings are, which language is spoken. No key, no token. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR']
const TIMEOUT_SECONDS = 600
const OUTPUT_BYTES = 4096
const MOST_FILES = 50
const MOST_BYTES = 16 * 1024 * 1024
const KILL_AFTER_MS = 2000

/** An external agent in a folder of its own that tells it what is wanted; it leaves `program.py` there, and what that needs beside it. */
const command: Generator = {
  async generate(brief, signal) {
    signal.throwIfAborted()
    const argv = brief.settings?.command
    if (!argv) {
      throw new LoopaiError('MISSING_VALUE', 'the command generator needs a command', {
        hint: 'in config.yaml: generator: {use: command, command: [my-agent, --task, TASK.md]}',
      })
    }
    if ((brief.external ?? 'none') === 'none') throw forbidden(brief, argv[0]!)
    const folder = await mkdtemp(path.join(os.tmpdir(), 'loopai-agent-'))
    try {
      const given = filesFor(brief)
      await Promise.all([...given].map(([name, content]) => writeFile(path.join(folder, name), content)))
      brief.report?.({ stage: `${path.basename(argv[0]!)} is writing`, done: 0, total: 1 })
      const { timeout_seconds = TIMEOUT_SECONDS } = brief.settings ?? {}
      await run(argv, { folder, timeoutMs: timeout_seconds * 1000, signal })
      const files = await collect(folder, given)
      return { runtime: 'python', entry: 'program.py', files, notes: [], parity: [] }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

export default command

/** The agent runs on this machine, but nothing keeps it from sending on what it reads. */
function forbidden({ app, examples }: Brief, file: string): LoopaiError {
  const told = `the task, both schemas and ${examples.length} labelled rows`
  return new LoopaiError(
    'EXTERNAL_FORBIDDEN',
    `privacy.external of ${app.id} is none: nothing was started. ${file} would be given ${told}, and may send them anywhere`,
    {
      hint: 'allow it in config.yaml with privacy: {external: full}, or {external: redacted} to give it no content of rows, only their shapes',
      details: { command: file, rows: examples.length },
    },
  )
}

/** What lies in the folder when the agent begins. The program of the attempt before is there to be mended. */
function filesFor(brief: Brief): Map<string, string | Uint8Array> {
  const { app, examples, feedback, learned } = brief
  const rows = examples.map(example => outwardExample(brief, example))
  const part = learned && outwardPart(brief, learned)
  const { files = [], ...wrong } = feedback ? outwardFeedback(brief, feedback) : {}
  return new Map<string, string | Uint8Array>([
    ...files.map(file => [file.path, file.content] as const),
    ['TASK.md', taskText(brief)],
    ['spec.json', `${JSON.stringify(app, null, 2)}\n`],
    ['examples.jsonl', linesOf(rows)],
    ...(part ? part.files.map(file => [file.path, file.content] as const) : []),
    ...(part ? [['mistakes.jsonl', linesOf(part.mistakes)] as const] : []),
    ...(feedback ? [['feedback.json', `${JSON.stringify(wrong, null, 2)}\n`] as const] : []),
  ])
}

function linesOf(rows: object[]): string {
  return rows.map(row => `${JSON.stringify(row)}\n`).join('')
}

function taskText({ app, feedback, learned, external }: Brief): string {
  const lines = [
    `# ${app.name}`,
    '',
    app.task,
    '',
    'Write `program.py` into this folder. `spec.json` has the JSON Schemas of input and output, `examples.jsonl` labelled rows' +
      `${external === 'full' ? '' : ABOUT_SHAPES}. The program is`,
    'judged on other rows of the same kind. It may read files that you leave beside it.',
    ...(learned ? ['', ...aboutLearned(learned, external)] : []),
    ...(feedback
      ? ['', '`program.py` is your last version; `feedback.json` says what is wrong with it. Mend it.']
      : []),
    '',
    'The rules for the program:',
    '',
  ]
  return `${[...lines, ...ruleLines(), '', ...ABOUT_PACKAGES].join('\n')}\n`
}

/** The module and where it goes wrong, as it is told to language models, but for the rows: they are in a file. */
function aboutLearned({ accuracy }: LearnedPart, external: Brief['external']): string[] {
  const told = fillPrompt('learned.md', {
    ACCURACY: (100 * accuracy).toFixed(1),
    MISTAKES: '`mistakes.jsonl` has the rows that it got wrong then, the surest first.',
  })
  return external === 'full' ? [told] : [told, 'It is private, and will be there when the program runs.']
}
const ABOUT_PACKAGES = [
  'An exception: a program that is much better with a package, such as scikit-learn, may import it when a file',
  '`requirements.txt` beside it names it. The package has to come as a wheel, and loading it may take a few seconds.',
]

/** The list of rules in the prompt for language models: they are the same for whoever writes. */
function ruleLines(): string[] {
  return fillPrompt('write-program.md', {})
    .split('\n')
    .filter(line => /^(- | {2}\S)/.test(line))
}

interface RunOptions {
  folder: string
  timeoutMs: number
  signal: AbortSignal
}

/** Resolves when it ends well. Whatever happens, no process of its group is left. */
async function run([file, ...args]: string[], { folder, timeoutMs, signal }: RunOptions): Promise<void> {
  const { execa } = await import('execa')
  const child = execa(file!, args, {
    cwd: folder,
    env: Object.fromEntries(INHERITED.map(name => [name, process.env[name]])),
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    detached: true,
    timeout: timeoutMs,
    cancelSignal: signal,
    forceKillAfterDelay: KILL_AFTER_MS,
    reject: false,
  })
  // What it has started would keep its output open.
  child.on('exit', () => killGroup(child.pid))
  const { failed: isFailed, timedOut, code, exitCode, all = '', shortMessage } = await child
  signal.throwIfAborted()
  if (!isFailed) return
  if (timedOut) throw failed(file!, `did not end within ${timeoutMs / 1000} s`, all)
  if (code === 'ENOENT') throw failed(file!, 'is not installed, or not on the PATH', '')
  throw failed(
    file!,
    exitCode === undefined ? `failed: ${shortMessage}` : `ended with status ${exitCode}`,
    all,
  )
}

function killGroup(pid: number | undefined) {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

function failed(file: string, what: string, said: string): LoopaiError {
  const end = said.slice(-OUTPUT_BYTES)
  const last = end.trim().split('\n').slice(-5).join('\n')
  return new LoopaiError('GENERATOR_FAILED', [`${file} ${what}`, ...(last ? [last] : [])].join('\n'), {
    hint: 'try it by hand in an empty folder; generator.command and generator.timeout_seconds are in config.yaml',
    details: { output: end },
  })
}

/** The program and the files beside it. Links are left where they are: they could lead to anything of the user's. */
async function collect(folder: string, given: Map<string, unknown>): Promise<Draft['files']> {
  const names = (await readdir(folder)).filter(name => !name.startsWith('.') && !OURS.has(name))
  const files: { path: string; content: Uint8Array }[] = []
  let bytes = 0
  for (const name of names.sort()) {
    const status = await lstat(path.join(folder, name))
    if (!status.isFile() || status.nlink > 1) continue
    bytes += status.size
    if (files.length === MOST_FILES || bytes > MOST_BYTES) {
      throw new LoopaiError('GENERATOR_FAILED', `the agent left more than ${MOST_FILES} files or 16 MB`)
    }
    files.push({ path: name, content: await readFile(path.join(folder, name)) })
  }
  if (files.some(file => file.path === 'program.py')) return files
  const found = files.map(file => file.path).filter(name => !given.has(name))
  throw new LoopaiError('GENERATOR_FAILED', 'the agent left no program.py', {
    hint: found.length > 0 ? `it left: ${found.join(', ')}` : 'it left nothing',
  })
}

const OURS = new Set(['TASK.md', 'spec.json', 'examples.jsonl', 'mistakes.jsonl', 'feedback.json'])
