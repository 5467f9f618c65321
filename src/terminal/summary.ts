import type { Tested } from '../actions/test.ts'
import { describeScore, percent } from '../domain/scorecard.ts'
import { printable } from './errors.ts'

const MARKS = { pass: '✅', fail: '❌', inconclusive: '❔' }
const SHOWN = 10

/** Test results as Markdown, for the summary of a CI job. */
export function summary(tested: Tested[]): string {
  if (tested.length === 0) return '### Loop Apps\n\nNothing that decides behaviour has changed.\n\n'
  const rows = tested.map(({ loop_app_id: id, version, outcome, score, active }) => {
    const { right, total } = score.cases
    const before =
      active?.held_out.accuracy == null ? '' : `${percent(active.held_out.accuracy)} % (v${active.version})`
    return `| ${id} v${version} | ${MARKS[outcome]} ${outcome} | ${describeScore(score.held_out)} | ${before} | ${right} of ${total} |`
  })
  return [
    '### Loop Apps',
    '',
    '| version | gate | held-out accuracy | active | golden cases |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...tested.flatMap(details),
    '',
  ].join('\n')
}

function details({ loop_app_id: id, version, checks, score }: Tested): string[] {
  const objections = checks
    .filter(check => check.outcome !== 'pass')
    .map(check => `- **${check.name}**: ${inline(check.message)}`)
  const wrong = score.cases.failed.slice(0, SHOWN).map(({ case: name, expected, got, error }) => {
    const answer = error === undefined ? code(JSON.stringify(got)) : inline(error)
    return `- ${inline(name)}: expected ${code(JSON.stringify(expected))}, got ${answer}`
  })
  const rest = score.cases.failed.length - SHOWN
  const lines = [...objections, ...wrong, ...(rest > 0 ? [`- … and ${rest} more`] : [])]
  return lines.length > 0 ? [`**${id} v${version}**`, '', ...lines, ''] : []
}

/** What a program says is text: it makes no table, no link and no image. */
function inline(text: string): string {
  return printable(text)
    .replaceAll('\n', ' ')
    .replace(/[\\`*_[\]<>|!#]/g, '\\$&')
}

function code(text: string): string {
  return `<code>${printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '&#124;')}</code>`
}
