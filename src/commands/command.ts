import type { Command } from 'commander'
import type { Workspace } from '../actions/workspace.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What a command has to work with. */
export interface Session {
  workspace: Workspace
  terminal: Terminal
}

/** How the terminal asks for one thing. Each file of this folder default-exports one; `index.ts` says what it is for. */
export interface CommandFile {
  /** Arguments, options and examples, as commander takes them. */
  define(command: Command): void
  /** A number that it returns is the exit status. */
  run(session: Session, args: (string | undefined)[], options: object): Promise<unknown>
}
