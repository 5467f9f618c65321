import { availableParallelism } from 'node:os'
import type { Generator } from '../../domain/draft.ts'
import { planProblem } from './problem.ts'
import { learnInThread } from './thread.ts'

/** More threads would mostly wait for memory, and for the longest fit. */
const MOST_THREADS = 8

/** Learns a program that needs nothing but Python from labelled examples: text in, one of a few answers out. */
const learner: Generator = {
  async generate(brief, signal) {
    signal.throwIfAborted()
    const threads = Math.min(MOST_THREADS, availableParallelism())
    return learnInThread(brief, planProblem(brief), { threads, signal })
  },
}

export default learner
