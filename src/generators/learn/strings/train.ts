import { LoopaiError } from '../../../domain/errors.ts'
import type { Json } from '../../../domain/json.ts'
import { ALL_FOLDS, FOLDS, splitRows } from '../rows.ts'
import { cellOf, type Path } from '../tables/columns.ts'
import { type StringTarget, unknownText } from '../targets.ts'
import { type Piece, readSources, runPiece, type Sources, sourcePaths, textOfSource } from './pieces.ts'
import { type Found, findCheapest, type Shown } from './search.ts'

/** A text put together from pieces of the input. Emitted as code. */
export interface StringProgram {
  paths: Path[]
  pieces: Piece[]
  confidence: number
}

export interface TrainedString {
  program: StringProgram
  /** By row, of programs that had not seen it. */
  answers: { output: string; confidence: number }[]
  /** An input like the examples on which the next cheapest program gives something else. */
  doubt: { input: Json; output: string; other: string } | undefined
}

const FEWEST_EXAMPLES = 3
/** Examples that a search starts with; those that its program fails are added. */
const FIRST_EXAMPLES = 4
const MOST_REPAIRS = 8
/** Programs that are compared with the cheapest. */
const MOST_RIVALS = 8
/** Longer outputs are written, not cut out. */
const LONGEST_OUTPUT = 400
const LONGEST_INPUT = 4000

/** Finds the cheapest program that fits every example, or refuses. */
export function trainString(target: StringTarget, inputs: Json[]): TrainedString {
  const keys = inputs.map(input => JSON.stringify(input))
  const distinct = [...new Set(keys)]
  if (distinct.length < FEWEST_EXAMPLES) {
    const hint = 'add examples whose inputs differ'
    const message = `a program for text is found from ${FEWEST_EXAMPLES} examples on, and there are ${distinct.length}`
    throw new LoopaiError('NOT_ENOUGH_EXAMPLES', message, { hint })
  }
  const paths = sourcePaths(inputs)
  const examples = inputs.map((input, row) => ({
    sources: sourcesOf(input, paths),
    output: target.value[row]!,
  }))
  const isLong = ({ sources, output }: Shown) =>
    output.length > LONGEST_OUTPUT ||
    output === '' ||
    sources.texts.some(text => (text?.length ?? 0) > LONGEST_INPUT)
  const found = examples.some(isLong) ? undefined : learn(examples)
  if (!found) throw unknownText(target)

  // Near-copies are often all there is (dates, numbers), so only what is exactly the same stays in one fold.
  const fold = Int32Array.from(keys, key => distinct.indexOf(key) % FOLDS)
  const answers: { output: string; confidence: number }[] = []
  for (const tested of ALL_FOLDS) {
    const { train, test } = splitRows({ fold }, tested)
    const own = test.length > 0 ? learn(Array.from(train, row => examples[row]!)) : undefined
    for (const row of test) {
      answers[row] = { output: (own && run(own.pieces, examples[row]!.sources)) ?? '', confidence: 0 }
    }
  }
  const right = answers.filter(({ output }, row) => output === target.value[row]).length
  const confidence = Math.round((1e4 * (right + 1)) / (answers.length + 2)) / 1e4
  return {
    program: { paths, pieces: found.pieces, confidence },
    answers: answers.map(({ output }) => ({ output, confidence: output === '' ? 0 : confidence })),
    doubt: findDoubt(found, examples, { inputs, paths }),
  }
}

export function runString(
  { paths, pieces, confidence }: StringProgram,
  input: Json,
): { output: string; confidence: number } {
  const output = run(pieces, sourcesOf(input, paths))
  return output === undefined ? { output: '', confidence: 0 } : { output, confidence }
}

function run(pieces: Piece[], sources: Sources): string | undefined {
  const parts = pieces.map(piece => runPiece(piece, sources))
  return parts.includes(undefined) ? undefined : parts.join('')
}

function sourcesOf(input: Json, paths: Path[]): Sources {
  return readSources(paths.map(path => textOfSource(cellOf(input, path))))
}

/** Searches with a few examples, and with one more whenever its program fails one. */
function learn(examples: Shown[], banned?: Set<string>): Found | undefined {
  if (examples.length === 0) return undefined
  const byLength = [...examples].sort((a, b) => a.output.length - b.output.length)
  const every = Math.max(1, Math.floor(byLength.length / FIRST_EXAMPLES))
  const shown = byLength.filter((_, at) => at % every === 0).slice(0, FIRST_EXAMPLES)
  for (let repair = 0; repair <= MOST_REPAIRS; repair++) {
    const found = findCheapest(shown, banned)
    const failed = found && examples.find(({ sources, output }) => run(found.pieces, sources) !== output)
    if (!failed) return found
    shown.push(failed)
  }
  return undefined
}

/** Compares it with programs that do without one of its pieces, on the examples' inputs with small changes. */
function findDoubt(
  found: Found,
  examples: Shown[],
  { inputs, paths }: { inputs: Json[]; paths: Path[] },
): TrainedString['doubt'] {
  const own = found.pieces.map(piece => JSON.stringify(piece))
  const depth = Math.ceil(MOST_RIVALS / own.length)
  const others = own
    .flatMap(key => rivalsWithout(key, examples, { own, depth }))
    .sort((a, b) => a.cost - b.cost)
  for (const { pieces } of others) {
    for (const input of inputs.flatMap(variantsOf)) {
      const sources = sourcesOf(input, paths)
      const output = run(found.pieces, sources)
      const other = run(pieces, sources)
      if (output !== undefined && other !== undefined && output !== other) return { input, output, other }
    }
  }
  return undefined
}

/** The cheapest program without a piece, the cheapest without what that has instead, and so on. */
function rivalsWithout(
  key: string,
  examples: Shown[],
  { own, depth }: { own: string[]; depth: number },
): Found[] {
  const banned = new Set([key])
  const rivals: Found[] = []
  while (rivals.length < depth) {
    const rival = learn(examples, banned)
    if (!rival) break
    rivals.push(rival)
    const size = banned.size
    for (const piece of rival.pieces.map(piece => JSON.stringify(piece)))
      if (!own.includes(piece)) banned.add(piece)
    if (banned.size === size) break
  }
  return rivals
}

const NEW_WORD = 'Mid'

/** The input with one word less, one word more, another case, or other digits in each of its texts. */
function variantsOf(input: Json): Json[] {
  if (typeof input === 'string') {
    const words = input.split(' ')
    return [
      [words[0], NEW_WORD, ...words.slice(1)].join(' '),
      [...words, NEW_WORD].join(' '),
      [NEW_WORD, ...words].join(' '),
      words.slice(1).join(' '),
      words.slice(0, -1).join(' '),
      input.toUpperCase(),
      input.toLowerCase(),
      input.replace(/[0-9]+/, '7'),
      input.replace(/[0-9]+/g, '2031'),
      input.replace(/[-/.,_]/g, ' '),
    ]
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return []
  return Object.entries(input).flatMap(([name, value]) =>
    variantsOf(value).map(variant => ({ ...input, [name]: variant })),
  )
}
