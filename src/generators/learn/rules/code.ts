import { literal } from '../python.ts'
import type { RuleList } from './list.ts'

/** A decision list as a function of its own: one `if` a phrase. */
export function codeOfRules(name: string, { rules, otherwise }: RuleList): string {
  return [
    `def ${name}(input_data, scores):`,
    '    found = phrases(tokenize("\\n".join(pieces(input_data, ORDER, ""))))',
    ...rules.flatMap(({ phrase, output, confidence }) => [
      `    if ${literal(phrase)} in found:`,
      `        return ${literal(output)}, ${confidence}`,
    ]),
    `    return ${literal(otherwise.output)}, ${otherwise.confidence}`,
  ].join('\n')
}
