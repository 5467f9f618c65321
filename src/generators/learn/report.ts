import type { LearnedReport } from '../../domain/draft.ts'
import type { Example } from '../../domain/example.ts'
import type { Learned } from './heads.ts'
import type { Problem } from './problem.ts'
import { strongestByLabel } from './strongest.ts'
import { findSuspects } from './suspicion.ts'
import type { LearningCurve } from './train.ts'

const MOST_SUSPECTS = 50

/** What the learner knows of a program with a single answer that is a label; of others the notes tell. */
export function describeLearned(
  { targets, rows }: Problem,
  { parts, program }: Learned,
  examples: Example[],
): LearnedReport | undefined {
  const [part] = parts
  if (targets.length !== 1 || targets[0]!.kind !== 'choice' || !part) return undefined
  const { head, answers, learningCurve } = part
  const expected = learningCurve && expectedOfTwice(learningCurve)
  const count = examples.length
  return {
    ...(learningCurve && {
      learning_curve: [
        { rows: Math.round(count / 2), accuracy: round(learningCurve.half) },
        { rows: count, accuracy: round(learningCurve.all) },
      ],
    }),
    ...(expected !== undefined && { expected: { rows: 2 * count, accuracy: round(expected) } }),
    ...(head.by === 'linear' && { strongest: strongestByLabel(head, program.linear!) }),
    suspects: findSuspects(answers, rows)
      .slice(0, MOST_SUSPECTS)
      .map(({ row, preferred }) => ({
        row: rows.example[row]!,
        label: examples[rows.example[row]!]!.output,
        preferred,
      })),
  }
}

/**
 * What twice as many examples should bring, when the error goes on shrinking as it did: err(2n) = err(n) · err(n) / err(n/2), a power law
 * through the two sizes that were measured. Nothing, when it did not shrink.
 */
export function expectedOfTwice({ all, half }: LearningCurve): number | undefined {
  const error = 1 - all
  const errorWithHalf = 1 - half
  return error === 0 || errorWithHalf <= error ? undefined : 1 - (error * error) / errorWithHalf
}

function round(share: number): number {
  return Math.round(share * 1e4) / 1e4
}
