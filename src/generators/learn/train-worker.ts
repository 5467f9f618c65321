/**
 * The learner's threads. `learn` is told a problem, starts threads of its own (of this same file, in the roles `fit` and `boost`) and
 * posts progress and the draft, or its refusal; the others answer tasks one by one. A thread's threads end with it.
 */
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { LoopaiError } from '../../domain/errors.ts'
import { createFitter, type Shared } from './fit.ts'
import { learn, type Told } from './learn.ts'
import type { Problem } from './problem.ts'
import { createBooster, type TableShared } from './tables/boost.ts'

export type ThreadData =
  | { role: 'learn'; told: Told; problem: Problem; threads: number }
  | { role: 'fit'; shared: Shared }
  | { role: 'boost'; shared: TableShared }

const data = workerData as ThreadData
const port = parentPort!

if (data.role === 'learn') await learnAndPost(data)
else if (data.role === 'fit') answer(createFitter(data.shared))
else answer(createBooster(data.shared))

function answer<Task>(answerTask: (task: Task) => unknown): void {
  port.on('message', (task: Task) => port.postMessage(answerTask(task)))
}

/** A thread cannot throw a refusal to another: its class would be lost on the way. */
async function learnAndPost({
  told,
  problem,
  threads,
}: Extract<ThreadData, { role: 'learn' }>): Promise<void> {
  const options = {
    threads,
    file: fileURLToPath(import.meta.url),
    report: (progress: unknown) => port.postMessage({ progress }),
  }
  try {
    port.postMessage({ draft: await learn(told, problem, options) })
  } catch (error) {
    if (!(error instanceof LoopaiError)) throw error
    const { code, message, hint } = error
    port.postMessage({ refusal: { code, message, hint } })
  }
}
