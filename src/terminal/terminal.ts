import type { Progress } from '../domain/draft.ts'
import { createProgressLine } from './progress.ts'
import { createStyle, hasColours, type Style } from './style.ts'

/** Flags that every command understands. */
export interface GlobalFlags {
  json: boolean
  quiet: boolean
  verbose: boolean
  yes: boolean
  /** False with `--no-input`: nothing is asked. */
  input: boolean
  /** False with `--no-color`. */
  color: boolean
}

/** Results go to stdout and nothing else does; everything that is said to the person goes to stderr. */
export interface Terminal {
  flags: GlobalFlags
  /** Whether somebody can be asked. */
  canAsk: boolean
  /** Lines of the result. */
  print: (text: string) => void
  /** The result as one JSON document; one line, when it is part of a stream. */
  printJson: (value: unknown, layout?: 'document' | 'line') => void
  /** A notice for the person. */
  note: (text: string) => void
  /** The obvious next step after a success; only somebody at a terminal sees it. */
  next: (command: string) => void
  progress: (progress: Progress) => void
  /** Takes the progress line away. */
  settle: () => void
  /** For what goes to stdout. */
  style: () => Promise<Style>
}

export function createTerminal(flags: GlobalFlags, env: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = process
  const isPerson = stderr.isTTY === true && !env.CI
  const line = createProgressLine(stderr, isPerson)
  const isQuiet = flags.quiet || flags.json
  const print = (text: string) => {
    line.clear()
    stdout.write(`${text}\n`)
  }
  const note = (text: string) => {
    line.clear()
    stderr.write(`${text}\n`)
  }
  return {
    flags,
    canAsk: isPerson && stdin.isTTY === true && !flags.json && flags.input && !flags.yes,
    print,
    printJson: (value, layout = 'document') =>
      print(layout === 'line' ? JSON.stringify(value) : JSON.stringify(value, null, 2)),
    note,
    next: command => {
      if (isPerson && !isQuiet) note(`next: ${command}`)
    },
    progress: progress => {
      if (!isQuiet) line.show(progress)
    },
    settle: line.clear,
    style: () => createStyle(hasColours(stdout, env, flags.color)),
  }
}
