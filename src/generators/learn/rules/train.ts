import type { Json } from '../../../domain/json.ts'
import { ALL_FOLDS, allRows, type Rows, splitRows } from '../rows.ts'
import type { ChoiceTarget } from '../targets.ts'
import { readFeatures } from '../train.ts'
import { answerRow, growList, MOST_RULES, type RuleList, toRuleList } from './list.ts'

export interface TrainedRules {
  list: RuleList
  /** By row, of lists that had not seen it. */
  answers: { output: Json; confidence: number }[]
}

/** A decision list as long as answers unseen rows best; among equals the shortest. */
export function trainRules(
  target: ChoiceTarget,
  { rows, texts }: { rows: Rows; texts: string[] },
): TrainedRules {
  const { features, names } = readFeatures(texts, rows)
  const { words } = features
  const folds = ALL_FOLDS.map(fold => {
    const { train, test } = splitRows(rows, fold)
    return { list: growList(target, words, train), test }
  })
  const answersWith = (rules: number) => {
    const answers: { label: number; confidence: number }[] = []
    for (const { list, test } of folds)
      for (const row of test) answers[row] = answerRow(list, rules, words, row)
    return answers
  }
  const lengths = Array.from({ length: MOST_RULES + 1 }, (_, rules) => rules)
  const right = lengths.map(
    rules => answersWith(rules).filter(({ label }, row) => label === target.label[row]).length,
  )
  const best = right.indexOf(Math.max(...right))
  return {
    list: toRuleList(growList(target, words, allRows(rows)), best, target, names),
    answers: answersWith(best).map(({ label, confidence }) => ({
      output: target.labels[label]!,
      confidence,
    })),
  }
}
