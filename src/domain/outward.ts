import type { Brief, Feedback, LearnedPart } from './draft.ts'
import type { Example } from './example.ts'
import { shapeOf, shapeOfExample } from './shapes.ts'

/** What is said of rows that are shapes. */
export const ABOUT_SHAPES =
  ' (their content is private: every letter was replaced by x or X and every digit by 9, so they show forms only)'

/** A row as it may leave this machine. */
export function outwardExample({ external, app }: Brief, { input, output }: Example): Example {
  const example = { input, output }
  if (external === 'full') return example
  const labels = app.output_schema.enum
  return shapeOfExample(example, output => Array.isArray(labels) && labels.includes(output))
}

/** What is wrong with a draft, as it may leave this machine. */
export function outwardFeedback(brief: Brief, feedback: Feedback): Feedback {
  if (brief.external === 'full') return feedback
  const { printed: _, ...rest } = feedback
  return {
    ...rest,
    problems: feedback.problems.map(nameOf),
    failures: feedback.failures.map(({ input, expected, got, error }) => {
      const example = outwardExample(brief, { input, output: expected })
      const answer = error === undefined ? { got: shapeOf(got!) } : { error: nameOf(error) }
      return { input: example.input, expected: example.output, ...answer }
    }),
  }
}

/** What a writer may know of the learned part. Its files hold words of the rows, so where those are private it gets none of them. */
export function outwardPart(brief: Brief, { files, accuracy, mistakes }: LearnedPart) {
  if (brief.external === 'full') return { files, accuracy, mistakes }
  const shapes = mistakes.map(({ input, expected, got, confidence }) => {
    const [right, wrong] = [expected, got].map(output => outwardExample(brief, { input, output }))
    return { input: right!.input, expected: right!.output, got: wrong!.output, confidence }
  })
  return { files: [], accuracy, mistakes: shapes }
}

/** A message may quote an input: where rows are private, only what kind of message it is. */
function nameOf(message: string): string {
  return /^[\w ]+(: [A-Z]\w*(Error|Exception))?/.exec(message)?.[0] ?? 'it failed'
}
