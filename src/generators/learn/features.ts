import { gramsOf, tokenize } from './tokens.ts'

/**
 * Features of all rows before they are weighted, in shared memory. A block is a sparse matrix: entries `start[row]` to
 * `start[row + 1]` belong to a row. With m = 1 + ln(occurrences of a word in the text), `value` is the sum of m over the places where
 * a feature occurs in distinct words, `square` the sum of m²; pairs of words count m = 1 each time. `count` is how often a feature
 * occurs in all; it is kept for long texts only.
 */
export interface Block {
  size: number
  start: Int32Array
  feature: Int32Array
  value: Float32Array
  square: Float32Array
  count?: Float32Array
}

export interface Features {
  rows: number
  /** Words and pairs of words. */
  words: Block
  /** Character sequences inside words. */
  chars: Block
}

/** Names of the features, by their number in the block. */
export interface Names {
  words: string[]
  chars: string[]
}

export function extractFeatures(
  texts: string[],
  { counts }: { counts: boolean },
): { features: Features; names: Names } {
  const words = createCollector(texts.length, counts)
  const chars = createCollector(texts.length, counts)
  const gramsOfWord = new Map<string, number[]>()

  for (const text of texts) {
    const tokens = tokenize(text)
    for (const [word, count] of countTokens(tokens)) {
      const damped = dampedCount(count)
      words.add(words.numberOf(word), damped, count)
      const grams = gramsOfWord.get(word) ?? gramsOf(word).map(chars.numberOf)
      gramsOfWord.set(word, grams)
      for (const gram of grams) chars.add(gram, damped, count)
    }
    for (let at = 1; at < tokens.length; at++)
      words.add(words.numberOf(pairOf(tokens[at - 1]!, tokens[at]!)), 1, 1)
    words.endRow()
    chars.endRow()
  }
  const features = { rows: texts.length, words: words.block(), chars: chars.block() }
  return { features, names: { words: words.names(), chars: chars.names() } }
}

export function countTokens(tokens: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1)
  return counts
}

/** What a word counts that a text has `count` times. */
export function dampedCount(count: number): number {
  return count === 1 ? 1 : 1 + Math.log(count)
}

/** A word never contains a blank, so a pair cannot be mistaken for one. */
export function pairOf(left: string, right: string): string {
  return `${left} ${right}`
}

/** Leaves only the features that at least `minInputs` distinct inputs have. `inputOf[row]` numbers the distinct inputs. */
export function dropRareFeatures(features: Features, inputOf: Int32Array, minInputs: number): Features {
  const keep = (block: Block) => dropRare(block, inputOf, minInputs)
  return { rows: features.rows, words: keep(features.words), chars: keep(features.chars) }
}

function dropRare(block: Block, inputOf: Int32Array, minInputs: number): Block {
  const inputs = distinctInputs(block, inputOf)
  let kept = 0
  for (let entry = 0; entry < block.feature.length; entry++) {
    if (inputs[block.feature[entry]!]! >= minInputs) kept++
  }
  const start = sharedInts(block.start.length)
  const feature = sharedInts(kept)
  const value = sharedFloats(kept)
  const square = sharedFloats(kept)
  const count = block.count && sharedFloats(kept)
  let used = 0
  for (let row = 0; row + 1 < start.length; row++) {
    for (let entry = block.start[row]!; entry < block.start[row + 1]!; entry++) {
      if (inputs[block.feature[entry]!]! < minInputs) continue
      feature[used] = block.feature[entry]!
      value[used] = block.value[entry]!
      if (count) count[used] = block.count![entry]!
      square[used++] = block.square[entry]!
    }
    start[row + 1] = used
  }
  return { size: block.size, start, feature, value, square, ...(count && { count }) }
}

/** In how many distinct inputs each feature occurs. Rows of one input are visited together, so the last input seen is enough. */
function distinctInputs(block: Block, inputOf: Int32Array): Int32Array {
  const inputs = new Int32Array(block.size)
  const last = new Int32Array(block.size).fill(-1)
  const rows = Int32Array.from(inputOf, (_, row) => row).sort((a, b) => inputOf[a]! - inputOf[b]!)
  for (const row of rows) {
    for (let entry = block.start[row]!; entry < block.start[row + 1]!; entry++) {
      const feature = block.feature[entry]!
      if (last[feature] === inputOf[row]) continue
      last[feature] = inputOf[row]!
      inputs[feature]!++
    }
  }
  return inputs
}

/** Collects one block row by row. Arrays double when they are full: there can be tens of millions of entries. */
function createCollector(rows: number, counts: boolean) {
  const numbers = new Map<string, number>()
  const start = sharedInts(rows + 1)
  let feature = new Int32Array(1 << 16)
  let value = new Float32Array(1 << 16)
  let square = new Float32Array(1 << 16)
  let occurrences = new Float32Array(counts ? 1 << 16 : 0)
  let row = 0
  let used = 0
  /** Where the current row has a feature; places of earlier rows are recognized by being below the row's start. */
  const place: number[] = []

  function grow() {
    const size = 2 * feature.length
    feature = copyInto(new Int32Array(size), feature)
    value = copyInto(new Float32Array(size), value)
    square = copyInto(new Float32Array(size), square)
    if (counts) occurrences = copyInto(new Float32Array(size), occurrences)
  }

  return {
    numberOf(name: string): number {
      let number = numbers.get(name)
      if (number === undefined) {
        number = numbers.size
        numbers.set(name, number)
        place.push(-1)
      }
      return number
    },
    add(number: number, damped: number, count: number) {
      let entry = place[number]!
      if (entry < start[row]!) {
        if (used === feature.length) grow()
        entry = used++
        place[number] = entry
        feature[entry] = number
      }
      value[entry]! += damped
      square[entry]! += damped * damped
      if (counts) occurrences[entry]! += count
    },
    endRow() {
      start[++row] = used
    },
    block: (): Block => ({
      size: numbers.size,
      start,
      feature: sharedInts(used, feature.subarray(0, used)),
      value: sharedFloats(used, value.subarray(0, used)),
      square: sharedFloats(used, square.subarray(0, used)),
      ...(counts && { count: sharedFloats(used, occurrences.subarray(0, used)) }),
    }),
    names: () => [...numbers.keys()],
  }
}

function copyInto<Numbers extends Int32Array | Float32Array>(larger: Numbers, from: Numbers): Numbers {
  larger.set(from)
  return larger
}

function sharedInts(length: number, from?: ArrayLike<number>): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(4 * length))
  if (from) array.set(from)
  return array
}

function sharedFloats(length: number, from?: ArrayLike<number>): Float32Array {
  const array = new Float32Array(new SharedArrayBuffer(4 * length))
  if (from) array.set(from)
  return array
}
