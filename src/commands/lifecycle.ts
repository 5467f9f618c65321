import { setLifecycle } from '../actions/set-lifecycle.ts'
import type { CommandFile } from './command.ts'

const NAMES = {
  active: 'active',
  draft: 'a draft without active version',
  paused: 'paused',
  archived: 'archived',
}

/** The commands that put an app to rest and wake it differ in a word. */
export function defineLifecycle(op: 'pause' | 'resume' | 'archive'): CommandFile {
  return {
    define(command) {
      command.argument('<app>')
    },

    async run({ workspace, terminal }, [app]) {
      const result = await setLifecycle(workspace, app!, op)
      const { flags, print, printJson } = terminal
      if (flags.json) printJson(result)
      else if (flags.quiet) print(result.state)
      else print(`${app} is ${NAMES[result.state]} ${result.changed ? 'now' : 'already'}`)
    },
  }
}
