import { git, type Repository } from './git.ts'

/** Paths in the data directory that belong into git and are hidden by an ignore rule. */
export async function findHidden({ workTree, prefix }: Repository): Promise<string[]> {
  const specs = ['config.yaml', 'history.jsonl', 'tests', 'artifacts', 'datasets/examples'].map(
    name => `:(top,glob)${escapeGlob(prefix)}loop-apps/*/${name}${name.includes('.') ? '' : '/**'}`,
  )
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--', ...specs]
  const said = (await git(workTree, args))!
  const names = said
    .split('\0')
    .filter(Boolean)
    .map(name => name.slice(prefix.length))
  return names.filter(name => !/(^|\/)(\.tmp-|__pycache__\/)/.test(name))
}

/** What git would do to the bytes of a program, where that differs from nothing at all. */
export async function findConversions({ workTree, prefix }: Repository): Promise<string[]> {
  const program = `${prefix}loop-apps/some-app-001/artifacts/v1/program.py`
  const args = ['check-attr', '-z', 'text', 'merge', 'filter', 'eol', '--', program]
  const fields = (await git(workTree, args))!.split('\0')
  const values = new Map<string, string>()
  for (let i = 0; i + 2 < fields.length; i += 3) values.set(fields[i + 1]!, fields[i + 2]!)
  const wanted: Record<string, string[]> = {
    text: ['unset'],
    merge: ['unset'],
    filter: ['unspecified', 'unset'],
    eol: ['unspecified', 'unset'],
  }
  return Object.entries(wanted).flatMap(([name, fine]) => {
    const value = values.get(name) ?? 'unspecified'
    return fine.includes(value) ? [] : [`${name} is ${value}`]
  })
}

function escapeGlob(name: string): string {
  return name.replace(/[*?[\\]/g, '\\$&')
}
