import type { CommandFile } from './command.ts'

interface Entry {
  summary: string
  alias?: string
  load: () => Promise<{ default: CommandFile }>
}

/** All commands, in the order in which one meets them. A file is loaded when its command is named. */
export const COMMANDS: Record<string, Entry> = {
  init: { summary: 'make a data directory', load: () => import('./init.ts') },
  create: { summary: 'make a Loop App', load: () => import('./create.ts') },
  list: { summary: 'list Loop Apps', load: () => import('./list.ts') },
  show: { summary: 'show a Loop App or one of its versions', load: () => import('./show.ts') },
  generate: { summary: 'have a program written as a new version', load: () => import('./generate.ts') },
  add: { summary: 'register files written by hand as a new version', load: () => import('./add.ts') },
  reproduce: {
    summary: 'generate a version again and compare digests',
    load: () => import('./reproduce.ts'),
  },
  test: {
    summary: 'run golden cases and held-out examples',
    alias: 'eval',
    load: () => import('./test.ts'),
  },
  promote: { summary: 'make a version the active one', load: () => import('./promote.ts') },
  rollback: { summary: 'go back to the version before', load: () => import('./rollback.ts') },
  log: { summary: 'show what happened to Loop Apps', load: () => import('./log.ts') },
  diff: { summary: 'compare two versions', load: () => import('./diff.ts') },
  pause: { summary: 'let a Loop App answer nobody for a while', load: () => import('./pause.ts') },
  resume: { summary: 'wake a Loop App, or lift a hold', load: () => import('./resume.ts') },
  archive: { summary: 'put a Loop App away until it is resumed', load: () => import('./archive.ts') },
  mark: { summary: 'judge a version by hand', load: () => import('./mark.ts') },
  remove: { summary: 'take the files of a version away', load: () => import('./remove.ts') },
  check: {
    summary: 'the gate for pull requests: look at everything, run nothing',
    load: () => import('./check.ts'),
  },
  doctor: {
    summary: 'look for what is wrong with this machine and the data directory',
    load: () => import('./doctor.ts'),
  },
  export: { summary: 'put a Loop App or a version into one archive', load: () => import('./export.ts') },
  import: { summary: 'bring in what export has made', load: () => import('./import.ts') },
  trust: { summary: 'agree to what tracked files ask of this machine', load: () => import('./trust.ts') },
  prepare: { summary: 'install the packages that versions need', load: () => import('./prepare.ts') },
  sync: { summary: 'bring this clone and the one it follows together', load: () => import('./sync.ts') },
  exec: { summary: 'run a Loop App on one input or on many', load: () => import('./exec.ts') },
  serve: { summary: 'answer over HTTP', load: () => import('./serve.ts') },
}
