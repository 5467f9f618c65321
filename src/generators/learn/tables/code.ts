import { literal, namesLike } from '../python.ts'
import { nameOfPath, type Path } from './columns.ts'
import type { CodeTree, Question } from './single.ts'

/** Names that the emitted program has already. */
const TAKEN = ['input_data', 'scores', 'cell', 'number', 'category', 'shaped']

/** A tree as a function of its own: one `if` a question. */
export function codeOfTree(name: string, tree: CodeTree): string {
  const asked = questionsOf(tree)
  const keys = [...new Set(asked.map(({ path }) => JSON.stringify(path)))]
  const names = namesLike(
    keys.map(key => nameOfPath(JSON.parse(key))),
    TAKEN,
  )
  const nameOf = ({ path }: Question) => names[keys.indexOf(JSON.stringify(path))]!
  const reads = keys.map((key, at) => {
    const path = JSON.parse(key) as Path
    const question = asked.find(({ path }) => JSON.stringify(path) === key)!
    const kind = 'atMost' in question.test ? 'number' : 'category'
    return `    ${names[at]} = ${kind}(cell(input_data, [${path.map(literal).join(', ')}]))`
  })
  return [
    `def ${name}(input_data, scores):`,
    '    # An unknown number is nan: no comparison with it is true.',
    ...reads,
    ...lines(tree, '    '),
  ].join('\n')

  function lines(at: CodeTree, indent: string): string[] {
    if (!('path' in at)) return [`${indent}return ${literal(at.output)}, ${at.confidence}`]
    return [
      `${indent}if ${conditionOf(at, nameOf(at))}:`,
      ...lines(at.yes, `${indent}    `),
      ...lines(at.no, indent),
    ]
  }
}

function questionsOf(tree: CodeTree): Question[] {
  return 'path' in tree ? [tree, ...questionsOf(tree.yes), ...questionsOf(tree.no)] : []
}

function conditionOf({ test, unknown }: Question, name: string): string {
  if ('atMost' in test) return unknown ? `not ${name} > ${test.atMost}` : `${name} <= ${test.atMost}`
  const group = (values: string[]) => `{${values.map(literal).join(', ')}}`
  if (!unknown) return test.among.length === 0 ? 'False' : `${name} in ${group(test.among)}`
  return test.others.length === 0 ? 'True' : `${name} not in ${group(test.others)}`
}
