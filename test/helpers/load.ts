import { LoopaiClient } from '../../src/client.ts'

/** An answer, and from when to when it was asked for. */
export interface Answered {
  version: number
  output: unknown
  from: number
  to: number
}

export interface Load {
  /** Lets what is asked be answered. Once it resolves nothing more is asked. */
  stop(): Promise<{ answers: Answered[]; problems: string[] }>
}

/** Clients that ask without a pause, and never a second time. */
export function askConstantly(id: string, url: string, clients: number): Load {
  const client = new LoopaiClient(id, { baseUrl: url, tries: 1 })
  const answers: Answered[] = []
  const problems: string[] = []
  let isOver = false
  const ask = async () => {
    while (!isOver) {
      const from = performance.now()
      try {
        const { version, output } = await client.execute({ text: 'a' })
        answers.push({ version, output, from, to: performance.now() })
      } catch (error) {
        problems.push(String(error))
      }
    }
  }
  const asking = Array.from({ length: clients }, ask)
  return {
    async stop() {
      isOver = true
      await Promise.all(asking)
      return { answers, problems }
    },
  }
}

/** What was active when: a version may answer from the moment it begins to be activated until the next one is. */
export function watchActivations(version: number) {
  const activations = [{ version, begun: 0, done: 0 }]
  return {
    /** `work` activates what it returns, at some moment until it ends. */
    async during(work: () => Promise<number>): Promise<void> {
      const begun = performance.now()
      activations.push({ version: await work(), begun, done: performance.now() })
    },
    /** Whether its version was active at some moment while the answer was asked for. */
    wasActive({ version, from, to }: Answered): boolean {
      return activations.some(
        (one, place) =>
          one.version === version && one.begun <= to && (activations[place + 1]?.done ?? Infinity) >= from,
      )
    },
  }
}
