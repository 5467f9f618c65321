/**
 * The learner's threads. `learn` is told a problem, starts threads of its own (of this same file, in the role `fit`) and posts progress
 * and the draft; `fit` answers fit tasks one by one. A thread's threads end with it.
 */
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { createFitter, type FitTask, type Shared } from './fit.ts'
import { learn, type Told } from './learn.ts'
import type { Problem } from './problem.ts'

export type ThreadData =
  | { role: 'learn'; told: Told; problem: Problem; threads: number }
  | { role: 'fit'; shared: Shared }

const data = workerData as ThreadData
const port = parentPort!

if (data.role === 'fit') {
  const fit = createFitter(data.shared)
  port.on('message', (task: FitTask) => port.postMessage(fit(task)))
} else {
  const { told, problem, threads } = data
  const file = fileURLToPath(import.meta.url)
  const draft = await learn(told, problem, {
    threads,
    file,
    report: progress => port.postMessage({ progress }),
  })
  port.postMessage({ draft })
}
