import { isDeepStrictEqual } from 'node:util'
import type { Draft, LearnedPart } from './draft.ts'
import type { Example } from './example.ts'
import type { Origin } from './version.ts'

/** What the learned program is called when another is written around it. */
const MODULE = 'learned.py'

/** A learned draft as a part for others. `examples` are the rows that it was learned from. */
export function partOf({ files, parity, outOfFold = [] }: Draft, examples: Example[]): LearnedPart {
  const mistakes = examples.flatMap(({ input, output: expected }, row) => {
    const { output: got, confidence } = outOfFold[row]!
    return isDeepStrictEqual(got, expected) ? [] : [{ input, expected, got, confidence }]
  })
  return {
    files: files.map(file => (file.path === 'program.py' ? { ...file, path: MODULE } : file)),
    entry: MODULE,
    parity,
    accuracy: 1 - mistakes.length / examples.length,
    mistakes: mistakes.sort((a, b) => b.confidence - a.confidence),
  }
}

/** The draft with the part that it imports, as it was learned: whatever its writer left under those names is not taken. */
export function joinPart(draft: Draft, { files, entry, parity }: LearnedPart): Draft {
  const own = ownFiles(draft, files)
  if (!own.some(importsPart)) return { ...draft, files: own }
  return { ...draft, files: [...own, ...files], learned: { entry, parity } }
}

/** Who wrote what, for the manifest of a draft that has the part. */
export function listParts(
  draft: Draft,
  { files }: LearnedPart,
  { generator, ...learned }: { generator: string; rows: number; accuracy?: number },
): Origin['made_of'] {
  const pathsOf = (files: Draft['files']) => files.map(file => file.path)
  return [
    { generator, files: pathsOf(ownFiles(draft, files)) },
    { generator: 'learn', files: pathsOf(files), ...learned },
  ]
}

/** Those that its writer wrote, but for what lies where the part does, or would be imported in its place. */
export function ownFiles({ files }: Draft, learned: Draft['files']): Draft['files'] {
  return files.filter(({ path }) => !learned.some(part => part.path === path || isShadowing(path, part.path)))
}

/** Python prefers a folder or a compiled module of the same name. */
function isShadowing(path: string, module: string): boolean {
  const name = module.replace(/\.py$/, '')
  return name !== module && [`${name}/`, `${name}.`].some(start => path.startsWith(start))
}

function importsPart({ path, content }: Draft['files'][number]): boolean {
  if (!path.endsWith('.py')) return false
  return /^\s*(?:import\b[^#\n]*\blearned\b|from\s+learned\b)/m.test(Buffer.from(content).toString())
}
