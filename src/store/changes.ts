import { LoopaiError } from '../domain/errors.ts'
import { git, openRepository } from './git.ts'

/** Paths, relative to the data directory, that differ now from where this branch left `ref`; files that git does not track are not seen. */
export async function listChangesSince(root: string, ref: string): Promise<string[]> {
  const { workTree, prefix } = await openRepository(root)
  const commit = await git(
    workTree,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
    {
      accept: [1, 128],
    },
  )
  if (commit === undefined) {
    throw new LoopaiError('USAGE', `git knows no commit ${ref}`, {
      hint: 'name a branch, a tag or a commit; in CI, check out with fetch-depth: 0',
    })
  }
  // Without a common ancestor, as in a shallow clone, the commit itself is what to compare with.
  const base = await git(workTree, ['merge-base', commit.trim(), 'HEAD'], { accept: [1, 128] })
  const args = [
    'diff',
    '--name-only',
    '--no-renames',
    '-z',
    (base ?? commit).trim(),
    '--',
    `:(literal,top)${prefix}loop-apps`,
  ]
  const said = (await git(workTree, args))!
  return said
    .split('\0')
    .filter(Boolean)
    .map(name => name.slice(prefix.length))
}
