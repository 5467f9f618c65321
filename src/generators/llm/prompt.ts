import { readFileSync } from 'node:fs'
import type { Brief, Feedback, LearnedPart } from '../../domain/draft.ts'
import type { Example } from '../../domain/example.ts'
import { ABOUT_SHAPES, outwardExample, outwardFeedback, outwardPart } from '../../domain/outward.ts'
import { packageFile } from '../../package.ts'

export interface Message {
  role: 'user' | 'assistant'
  content: string
}

export interface Prompt {
  system: string
  messages: Message[]
  /** Rows that are shown in it. */
  rows: number
}

/** Characters of rows that a prompt shows at most; of one row; of failing rows. */
const MOST_ROWS_TEXT = 60_000
const MOST_ROW_TEXT = 4000
const MOST_FAILURES = 20

/** What a language model is told, with its last program and what was wrong with it when there is one. */
export function writePrompt(brief: Brief): Prompt {
  const rows = shownRows(brief)
  const { app, candidate, feedback } = brief
  const task = fillPrompt('task.md', {
    TASK: app.task,
    INPUT_SCHEMA: JSON.stringify(app.input_schema, null, 2),
    OUTPUT_SCHEMA: JSON.stringify(app.output_schema, null, 2),
    ROWS_TITLE: describeRows(brief, rows.length),
    ROWS: rows.map(dataLine).join('\n'),
    LEARNED: brief.learned ? `\n${describeLearned(brief, brief.learned)}\n` : '',
    CANDIDATE:
      candidate && candidate.of > 1
        ? `\nThis is attempt ${candidate.number} of ${candidate.of} from scratch, and the best is taken: choose an approach that the others may not.\n`
        : '',
  })
  const messages: Message[] = [{ role: 'user', content: task }]
  if (feedback) {
    const program = feedback.files.find(file => file.path === 'program.py')
    messages.push({
      role: 'assistant',
      content: JSON.stringify({ notes: '', program: `${program?.content ?? ''}` }),
    })
    messages.push({ role: 'user', content: repair(brief, feedback) })
  }
  return { system: fillPrompt('write-program.md', {}), messages, rows: rows.length }
}

/** Evenly over the labels, as many as there is room for; in the order in which they are. */
function shownRows(brief: Brief): Example[] {
  const groups = new Map<string, number[]>()
  brief.examples.forEach(({ output }, i) => {
    const label = JSON.stringify(output)
    groups.set(label, [...(groups.get(label) ?? []), i])
  })
  const shown: number[] = []
  let room = MOST_ROWS_TEXT
  for (let turn = 0; [...groups.values()].some(rows => turn < rows.length); turn++) {
    for (const rows of groups.values()) {
      const row = rows[turn]
      if (row === undefined) continue
      const { length } = JSON.stringify(brief.examples[row])
      if (length > MOST_ROW_TEXT || length > room) continue
      room -= length
      shown.push(row)
    }
  }
  return shown.sort((a, b) => a - b).map(i => outwardExample(brief, brief.examples[i]!))
}

function describeRows({ examples, external }: Brief, shown: number): string {
  if (shown === 0) return 'There are no labelled rows.'
  const some =
    shown < examples.length ? `${shown} of ${examples.length} labelled rows` : `${shown} labelled rows`
  const shapes = external === 'full' ? '' : ABOUT_SHAPES
  return `${some}, one a line${shapes}:`
}

/** What the learned module is, and where it goes wrong. */
function describeLearned(brief: Brief, learned: LearnedPart): string {
  const { accuracy, mistakes } = outwardPart(brief, learned)
  const rows = mistakes.slice(0, MOST_FAILURES).map(dataLine)
  return fillPrompt('learned.md', {
    ACCURACY: (100 * accuracy).toFixed(1),
    MISTAKES:
      rows.length > 0
        ? `Rows that it got wrong then, the surest first:\n<data>\n${rows.join('\n')}\n</data>`
        : '',
  })
}

function repair(brief: Brief, feedback: Feedback): string {
  const { accuracy, problems, failures, printed } = outwardFeedback(brief, feedback)
  const rows = failures.slice(0, MOST_FAILURES).map(dataLine)
  return fillPrompt('repair.md', {
    ACCURACY:
      accuracy === null
        ? ''
        : `It answers ${(100 * accuracy).toFixed(1)} % of the rows that you were shown rightly.`,
    PROBLEMS:
      problems.length > 0
        ? `\nIt was refused:\n${problems.map(problem => `- ${JSON.stringify(problem)}`).join('\n')}\n`
        : '',
    PRINTED: printed ? `\nIt printed:\n<data>\n${dataLine(printed)}\n</data>\n` : '',
    FAILURES: rows.length > 0 ? `\nRows that it gets wrong:\n<data>\n${rows.join('\n')}\n</data>\n` : '',
  })
}

/** One line that cannot end the block of data that it stands in. */
function dataLine(value: object | string): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** A shipped text about programs, with values in its places. */
export function fillPrompt(name: string, values: Record<string, string>): string {
  const text = readFileSync(packageFile('templates', 'prompts', name), 'utf8')
  return text.replace(/@@([A-Z_]+)@@/g, (_, key: string) => values[key]!).trim()
}
