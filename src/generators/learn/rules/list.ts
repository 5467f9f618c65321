import type { Json } from '../../../domain/json.ts'
import { roundConfidence } from '../answers.ts'
import type { Block, Names } from '../features.ts'
import { pairOf } from '../features.ts'
import type { ChoiceTarget } from '../targets.ts'

/** Questions in order: the first phrase that a text contains decides. */
export interface RuleList {
  rules: { phrase: string; output: Json; confidence: number }[]
  otherwise: { output: Json; confidence: number }
}

/** A list while it grows: after each rule, what it would answer if it were the last. */
export interface GrownList {
  rules: { feature: number; label: number; confidence: number }[]
  /** The most frequent label of what is left after so many rules. */
  rests: { label: number; confidence: number }[]
}

export const MOST_RULES = 40
/** Rows that a phrase needs. */
const FEWEST_ROWS = 2
/** How much surer (in nats, over all rows that a rule decides) a rule has to make the list. */
const LEAST_GAIN = 3

/** Adds the rule that gains most (c · ln(precision / share), as in FOIL) until none gains enough. */
export function growList({ labels, label }: ChoiceTarget, words: Block, train: Int32Array): GrownList {
  const width = labels.length
  const counts = new Int32Array(words.size * width)
  const totals = new Int32Array(words.size)
  const left = new Set(train)
  const rest = new Int32Array(width)
  for (const row of train) count(row, 1)
  const frequent = Int32Array.from(totals, (_, feature) => feature).filter(
    feature => totals[feature]! >= FEWEST_ROWS,
  )
  const list: GrownList = { rules: [], rests: [restOf(rest)] }
  while (list.rules.length < MOST_RULES) {
    const best = findRule()
    if (!best) break
    list.rules.push(best)
    for (const row of left) {
      if (!hasFeature(words, row, best.feature)) continue
      left.delete(row)
      count(row, -1)
    }
    list.rests.push(restOf(rest))
  }
  return list

  function count(row: number, by: 1 | -1): void {
    rest[label[row]!]! += by
    for (let entry = words.start[row]!; entry < words.start[row + 1]!; entry++) {
      const feature = words.feature[entry]!
      totals[feature]! += by
      counts[feature * width + label[row]!]! += by
    }
  }

  function findRule(): GrownList['rules'][number] | undefined {
    let best: GrownList['rules'][number] | undefined
    let most = LEAST_GAIN
    for (const feature of frequent) {
      const total = totals[feature]!
      if (total < FEWEST_ROWS) continue
      for (let own = 0; own < width; own++) {
        const right = counts[feature * width + own]!
        if (2 * right <= total) continue
        const precision = (right + 0.5) / (total + 1)
        const gain = right * Math.log((precision * left.size) / rest[own]!)
        if (gain <= most) continue
        most = gain
        best = { feature, label: own, confidence: roundConfidence((right + 1) / (total + 2)) }
      }
    }
    return best
  }
}

/** What the first rules of a list answer to a row. */
export function answerRow(
  list: GrownList,
  rules: number,
  words: Block,
  row: number,
): { label: number; confidence: number } {
  const own = list.rules.slice(0, rules).find(({ feature }) => hasFeature(words, row, feature))
  return own ?? list.rests[Math.min(rules, list.rules.length)]!
}

export function toRuleList(list: GrownList, rules: number, { labels }: ChoiceTarget, names: Names): RuleList {
  const kept = list.rules.slice(0, rules)
  const rest = list.rests[kept.length]!
  return {
    rules: kept.map(({ feature, label, confidence }) => ({
      phrase: names.words[feature]!,
      output: labels[label]!,
      confidence,
    })),
    otherwise: { output: labels[rest.label]!, confidence: rest.confidence },
  }
}

export function answerTokens(
  { rules, otherwise }: RuleList,
  tokens: string[],
): { output: Json; confidence: number } {
  const found = new Set(tokens)
  for (let at = 1; at < tokens.length; at++) found.add(pairOf(tokens[at - 1]!, tokens[at]!))
  const rule = rules.find(({ phrase }) => found.has(phrase)) ?? otherwise
  return { output: rule.output, confidence: rule.confidence }
}

function hasFeature({ start, feature }: Block, row: number, wanted: number): boolean {
  for (let entry = start[row]!; entry < start[row + 1]!; entry++) if (feature[entry] === wanted) return true
  return false
}

function restOf(counts: Int32Array): { label: number; confidence: number } {
  const all = counts.reduce((sum, count) => sum + count, 0)
  const label = counts.indexOf(counts.reduce((a, b) => Math.max(a, b)))
  return { label, confidence: roundConfidence((counts[label]! + 1) / (all + counts.length)) }
}
