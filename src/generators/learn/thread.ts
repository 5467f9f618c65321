import { Worker } from 'node:worker_threads'
import type { Brief, Draft, Progress } from '../../domain/draft.ts'
import { type ErrorCode, LoopaiError } from '../../domain/errors.ts'
import { packageFile } from '../../package.ts'
import type { Problem } from './problem.ts'
import type { ThreadData } from './train-worker.ts'

type Message =
  | { progress: Progress }
  | { draft: Draft }
  | { refusal: { code: ErrorCode; message: string; hint?: string } }

/**
 * Learns in a thread, so that this one stays free for progress and Ctrl-C. An abort ends the thread and its threads at once and then
 * rejects with the signal's reason.
 */
export async function learnInThread(
  { report, ...told }: Brief,
  problem: Problem,
  { threads, signal }: { threads: number; signal: AbortSignal },
): Promise<Draft> {
  signal.throwIfAborted()
  const data: ThreadData = { role: 'learn', told, problem, threads }
  const worker = new Worker(packageFile('dist', 'train-worker.js'), { workerData: data })
  let abort = () => {}
  try {
    return await new Promise((resolve, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort)
      worker.on('error', reject)
      worker.on('exit', code => reject(new Error(`the learner's thread ended with status ${code}`)))
      worker.on('message', (message: Message) => {
        if ('draft' in message) resolve(message.draft)
        else if ('refusal' in message) reject(refusalOf(message.refusal))
        else report?.(message.progress)
      })
    })
  } finally {
    signal.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

function refusalOf({
  code,
  message,
  hint,
}: {
  code: ErrorCode
  message: string
  hint?: string
}): LoopaiError {
  return new LoopaiError(code, message, hint === undefined ? {} : { hint })
}
