import type { Brief, Draft } from '../../domain/draft.ts'
import { emitProgram } from './emit.ts'
import { encodeModel } from './model.ts'
import { writeNotes } from './notes.ts'
import { createPredictor } from './predict.ts'
import type { Problem } from './problem.ts'
import { type TrainOptions, train } from './train.ts'

/** Rows on which the emitted program has to give the trainer's own answers. */
const PARITY_ROWS = 200

/** The part of a brief that a thread can be given. */
export type Told = Omit<Brief, 'report'>

/** Learns the problem and writes the program. Runs in a thread of its own. */
export async function learn(told: Told, problem: Problem, options: TrainOptions): Promise<Draft> {
  const trained = await train(problem, options)
  const { model, outOfFold } = trained
  const predict = createPredictor(model)
  const every = Math.max(1, Math.ceil(problem.texts.length / PARITY_ROWS))
  const parityRows = [...problem.texts.keys()].filter(row => row % every === 0)

  return {
    runtime: 'python',
    entry: 'program.py',
    files: [
      { path: 'program.py', content: emitProgram(told.app, model) },
      { path: 'model.json', content: encodeModel(model) },
    ],
    notes: writeNotes(problem, trained, told.examples),
    parity: parityRows.map(row => ({
      input: told.examples[problem.example[row]!]!.input,
      output: problem.labels[predict(problem.texts[row]!).label]!,
    })),
    outOfFold: inOrderOfExamples(problem.example, row => ({
      output: problem.labels[outOfFold[row]!.label]!,
      confidence: outOfFold[row]!.confidence,
    })),
  }
}

function inOrderOfExamples<Answer>(example: Int32Array, answerOfRow: (row: number) => Answer): Answer[] {
  const answers: Answer[] = []
  example.forEach((at, row) => {
    answers[at] = answerOfRow(row)
  })
  return answers
}
