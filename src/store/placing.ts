import { lstat, mkdir, open, rename, rm, rmdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { LoopaiError } from '../domain/errors.ts'
import { explainWriteError } from './atomic.ts'
import { step } from './steps.ts'

/**
 * How one thing of a commit gets into the work tree. Paths are relative to the work tree. A plan of these is all that is needed to
 * go on, or back, after a crash: everything has its temporary name before the plan is carried out, so a name that is gone tells how far
 * it came.
 */
export type Placement =
  /** A name that is taken before the commit lands, and given back when it does not. */
  | { claim: string; from: string }
  /** A name that gets its new content once the commit has landed. */
  | { replace: string; from: string }
  | { remove: string }

/** Writes a file or a link under its temporary name. */
export async function stage(place: string, mode: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(path.dirname(place), { recursive: true })
    if (mode === '120000') return await symlink(content.toString(), place)
    const handle = await open(place, 'wx', mode === '100755' ? 0o755 : 0o644)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw explainWriteError(error, place)
  }
}

/** Takes the new names, unless that was done before. Whoever else has one keeps it, and this is a conflict. */
export async function claim(workTree: string, plan: Placement[]): Promise<void> {
  for (const placement of plan) {
    if (!('claim' in placement)) continue
    const from = path.join(workTree, placement.from)
    const to = path.join(workTree, placement.claim)
    try {
      if (await isThere(to)) {
        if (await isThere(from)) throw taken(placement.claim)
        continue
      }
      await rename(from, to)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw code === 'ENOTEMPTY' || code === 'EEXIST' ? taken(placement.claim) : explainWriteError(error, to)
    }
    step('claimed')
  }
}

/** Gives the claimed names back: the commit did not land. */
export async function unclaim(workTree: string, plan: Placement[]): Promise<void> {
  for (const placement of plan) {
    if (!('claim' in placement)) continue
    const from = path.join(workTree, placement.from)
    const to = path.join(workTree, placement.claim)
    if (!(await isThere(from)) && (await isThere(to))) await rename(to, from)
    step('unclaimed')
  }
}

/** Puts everything else in place, in the order of the plan. Done twice, it does nothing the second time. */
export async function place(workTree: string, plan: Placement[]): Promise<void> {
  for (const placement of plan) {
    if ('replace' in placement) {
      const to = path.join(workTree, placement.replace)
      await rename(path.join(workTree, placement.from), to).catch(error => {
        if (error.code !== 'ENOENT') throw explainWriteError(error, to)
      })
      step('placed')
    } else if ('remove' in placement) {
      await remove(path.join(workTree, placement.remove))
      step('removed')
    }
  }
}

/** Removes what still has its temporary name. */
export async function discard(workTree: string, plan: Placement[]): Promise<void> {
  for (const placement of plan) {
    if ('from' in placement) await rm(path.join(workTree, placement.from), { recursive: true, force: true })
  }
}

/** A file, and the folders that it leaves empty. */
async function remove(file: string): Promise<void> {
  await rm(file, { force: true })
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const isGone = await rmdir(folder).then(
      () => true,
      () => false,
    )
    if (!isGone) return
  }
}

export async function isThere(place: string): Promise<boolean> {
  return lstat(place).then(
    () => true,
    () => false,
  )
}

function taken(name: string): LoopaiError {
  return new LoopaiError('CONFLICT', `${name} was made by somebody else meanwhile`, {
    hint: 'repeat the command',
  })
}
