import type { Duplex } from 'node:stream'

/** What the supervisor, who runs no code of the program, says of the process that ran it and has ended. */
export interface News {
  status: number
  /** At which place in the chunk it was, or -1, and for how long: as the program claims. */
  at: number
  ms: number
}

/** Calls `told` each time that a process has ended; with nothing, when what was said makes no sense. */
export function listenTo(control: Duplex | undefined, told: (news: News | undefined) => void) {
  let heard = ''
  control?.on('data', (part: Buffer) => {
    heard += part.toString('latin1')
    if (!heard.endsWith('\n')) return
    const news = readNews(heard)
    heard = ''
    told(news)
  })
}

function readNews(text: string): News | undefined {
  try {
    const { status, at, ms } = JSON.parse(text)
    if ([status, at, ms].every(Number.isInteger)) return { status, at, ms }
  } catch {
    // Not from a supervisor of ours.
  }
}
