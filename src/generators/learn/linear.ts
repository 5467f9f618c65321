import { countTokens, dampedCount, pairOf } from './features.ts'
import { inverseDocumentFrequency } from './matrix.ts'
import type { LinearModel } from './model.ts'
import { gramsOf } from './tokens.ts'

/** Sums over the known features of one block of a text. Counts are in sixteenths, as in the program's integers. */
interface Sum {
  lanes: Float64Array
  norm: number
  known: boolean
}

/**
 * The trainer's own scores of a text's tokens: what the emitted program computes, in the same order of operations, with plain
 * loops. They are NaN for a text without a known feature.
 */
export function createLinear(model: LinearModel): (tokens: string[]) => number[] {
  const lanes = model.biases.length
  const wordAt = new Map(model.words.map((word, at) => [word, at]))
  const charAt = new Map(model.chars.map((gram, at) => [gram, model.words.length + at]))
  const squaredIdf = Float64Array.from(model.documents, documents => {
    const idf = inverseDocumentFrequency(model.rows, documents)
    return idf * idf
  })

  return tokens => {
    if (model.counting === 'features') return exactScores(tokens)
    const words = emptySum()
    const chars = emptySum()
    for (const [word, count] of countTokens(tokens)) {
      add(words, [wordAt.get(word)], count)
      add(
        chars,
        gramsOf(word).map(gram => charAt.get(gram)),
        count,
      )
    }
    for (let at = 1; at < tokens.length; at++)
      add(words, [wordAt.get(pairOf(tokens[at - 1]!, tokens[at]!))], 1)

    return scoresOf(words, chars)
  }

  /** Each feature counts what its own occurrences are worth. */
  function exactScores(tokens: string[]): number[] {
    const counts = new Map<number, number>()
    const count = (feature: number | undefined, times: number) => {
      if (feature !== undefined) counts.set(feature, (counts.get(feature) ?? 0) + times)
    }
    for (const [word, times] of countTokens(tokens)) {
      count(wordAt.get(word), times)
      for (const gram of gramsOf(word)) count(charAt.get(gram), times)
    }
    for (let at = 1; at < tokens.length; at++) count(wordAt.get(pairOf(tokens[at - 1]!, tokens[at]!)), 1)
    const words = emptySum()
    const chars = emptySum()
    for (const [feature, times] of counts) add(feature < model.words.length ? words : chars, [feature], times)
    return scoresOf(words, chars)
  }

  function scoresOf(words: Sum, chars: Sum): number[] {
    if (!words.known && !chars.known) return model.biases.map(() => Number.NaN)
    const wordFactor = words.norm > 0 ? model.wordScale / 16 / Math.sqrt(words.norm) : 0
    const charFactor = chars.norm > 0 ? model.charScale / 16 / Math.sqrt(chars.norm) : 0
    return model.biases.map(
      (bias, lane) => bias + wordFactor * words.lanes[lane]! + charFactor * chars.lanes[lane]!,
    )
  }

  /** Adds the features of one word that occurs `count` times. */
  function add(sum: Sum, features: (number | undefined)[], count: number): void {
    const damped = dampedCount(count)
    const sixteenths = Math.floor(16 * damped + 0.5)
    let norm = 0
    for (const feature of features) {
      if (feature === undefined) continue
      sum.known = true
      norm += squaredIdf[feature]!
      for (let lane = 0; lane < lanes; lane++)
        sum.lanes[lane]! += sixteenths * model.weights[feature * lanes + lane]!
    }
    sum.norm += damped * damped * norm
  }

  function emptySum(): Sum {
    return { lanes: new Float64Array(lanes), norm: 0, known: false }
  }
}
