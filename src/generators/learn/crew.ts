import { Worker } from 'node:worker_threads'
import type { ThreadData } from './train-worker.ts'

/** Threads that answer tasks. They end with the thread that started them. */
export interface Crew<Task, Result> {
  /** Runs tasks on whichever thread is free; results come in the order of the tasks. */
  run(tasks: Task[], done?: (count: number) => void): Promise<Result[]>
  close(): Promise<void>
}

/** Where threads come from. */
export interface Threads {
  threads: number
  /** The threads' file. */
  file: string
}

export function startCrew<Task, Result>(data: ThreadData, { threads, file }: Threads): Crew<Task, Result> {
  const members = Array.from({ length: threads }, () => startMember<Task, Result>(data, file))
  return {
    async run(tasks, done) {
      const results: Result[] = []
      let next = 0
      let count = 0
      const work = async (member: Member<Task, Result>) => {
        while (next < tasks.length) {
          const at = next++
          results[at] = await member.answer(tasks[at]!)
          done?.(++count)
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

interface Member<Task, Result> {
  answer(task: Task): Promise<Result>
  close(): Promise<unknown>
}

function startMember<Task, Result>(workerData: ThreadData, file: string): Member<Task, Result> {
  const worker = new Worker(file, { workerData })
  return {
    answer: task =>
      new Promise((resolve, reject) => {
        worker.once('error', reject)
        worker.once('message', (result: Result) => {
          worker.off('error', reject)
          resolve(result)
        })
        worker.postMessage(task)
      }),
    close: () => worker.terminate(),
  }
}
