import type { Launch, Resources } from '../domain/launch.ts'

/** The letters by which a shell knows them. */
const LETTERS: Record<keyof Resources, string> = {
  coreKb: 'c',
  fileKb: 'f',
  dataKb: 'd',
  descriptors: 'n',
  cpuSeconds: 't',
}

/**
 * The same launch, with a shell before it that joins groups and sets limits. The process is the same one: the shell becomes what it starts, so
 * that nothing is ever outside the limits.
 */
export function underLimits(launch: Launch, joins: string[]): Launch {
  const limits = Object.entries(launch.resources ?? {}) as [keyof Resources, number][]
  if (joins.length === 0 && limits.length === 0) return launch
  const script = [
    ...joins.map((_, index) => `echo $$ > "$${index + 1}"`),
    ...limits.map(([name, value]) => `ulimit -${LETTERS[name]} ${value}`),
    `shift ${joins.length}`,
    'exec "$@"',
  ].join(' && ')
  return {
    ...launch,
    command: '/bin/sh',
    args: ['-c', script, 'sh', ...joins, launch.command, ...launch.args],
  }
}
