import type { Brief, Draft } from '../../domain/draft.ts'
import { emitProgram } from './emit.ts'
import { learnTargets } from './heads.ts'
import { writeNotes } from './notes.ts'
import type { Problem } from './problem.ts'
import { createPredictor, encodeProgram, putTogether } from './program.ts'
import { describeLearned } from './report.ts'
import { inExampleOrder } from './rows.ts'
import type { TrainOptions } from './train.ts'

/** Rows on which the emitted program has to give the trainer's own answers. */
const PARITY_ROWS = 200

/** The part of a brief that a thread can be given. */
export type Told = Omit<Brief, 'report'>

/** Learns the problem and writes the program. Runs in a thread of its own. */
export async function learn(told: Told, problem: Problem, options: TrainOptions): Promise<Draft> {
  const { inputs, rows, targets, shape } = problem
  const learned = await learnTargets(problem, options)
  const { program } = learned
  const predict = createPredictor(program)
  const every = Math.max(1, Math.ceil(inputs.length / PARITY_ROWS))
  const parityInputs = inputs.filter((_, row) => row % every === 0)
  const outOfFold = inputs.map((_, row) =>
    putTogether(
      shape,
      learned.parts.map(({ answers }) => answers[row]!),
    ),
  )

  const report = describeLearned(problem, learned, told.examples)
  return {
    runtime: 'python',
    entry: 'program.py',
    files: [
      {
        path: 'program.py',
        content: emitProgram(
          told.app,
          program,
          targets.map(({ name }) => name),
        ),
      },
      { path: 'model.json', content: encodeProgram(program) },
    ],
    notes: writeNotes(problem, learned, told.examples),
    parity: parityInputs.map(input => ({ input, output: predict(input).output })),
    outOfFold: inExampleOrder(rows, outOfFold),
    ...(report && { report }),
  }
}
