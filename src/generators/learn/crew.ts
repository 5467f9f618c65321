import { Worker } from 'node:worker_threads'
import type { FitResult, FitTask, Shared } from './fit.ts'

/** Threads that answer fit tasks. They end with the thread that started them. */
export interface Crew {
  lanes: number
  /** Runs tasks on whichever thread is free; results come in the order of the tasks. */
  run(tasks: FitTask[]): Promise<FitResult[]>
  close(): Promise<void>
}

export function startCrew(shared: Shared, { threads, file }: { threads: number; file: string }): Crew {
  const members = Array.from({ length: threads }, () => startMember(shared, file))
  return {
    lanes: shared.lanes,
    async run(tasks) {
      const results: FitResult[] = []
      let next = 0
      const work = async (member: Member) => {
        while (next < tasks.length) {
          const at = next++
          results[at] = await member.fit(tasks[at]!)
        }
      }
      await Promise.all(members.map(work))
      return results
    },
    async close() {
      await Promise.all(members.map(member => member.close()))
    },
  }
}

type Member = ReturnType<typeof startMember>

function startMember(shared: Shared, file: string) {
  const worker = new Worker(file, { workerData: { role: 'fit', shared } })
  return {
    fit: (task: FitTask): Promise<FitResult> =>
      new Promise((resolve, reject) => {
        worker.once('error', reject)
        worker.once('message', (result: FitResult) => {
          worker.off('error', reject)
          resolve(result)
        })
        worker.postMessage(task)
      }),
    close: () => worker.terminate(),
  }
}
