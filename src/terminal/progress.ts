import type { Progress } from '../domain/draft.ts'

/** Between two lines where nobody watches. */
const LOG_EVERY_MS = 10_000
const DRAW_EVERY_MS = 80

export interface ProgressLine {
  show: (progress: Progress) => void
  clear: () => void
}

/** One line that is drawn over and over on a terminal, and a line now and then elsewhere. */
export function createProgressLine(stream: NodeJS.WriteStream, isPerson: boolean): ProgressLine {
  let isShown = false
  let last = isPerson ? 0 : Date.now()
  let stage = ''
  let since = 0
  const clear = () => {
    if (isShown) stream.write('\r\u001b[K')
    isShown = false
  }
  return {
    clear,
    show(progress) {
      const now = Date.now()
      const isNew = progress.stage !== stage
      stage = progress.stage
      if (isNew) since = now
      if (isPerson ? !isNew && now - last < DRAW_EVERY_MS : now - last < LOG_EVERY_MS) return
      last = now
      if (!isPerson) {
        stream.write(`${describe(progress, now - since)}\n`)
        return
      }
      stream.write(`\r\u001b[K${describe(progress, now - since).slice(0, (stream.columns ?? 80) - 1)}`)
      isShown = true
    },
  }
}

/** With the time that is left, once there is something to guess it by. */
function describe({ stage, done, total }: Progress, elapsedMs: number): string {
  if (total <= 1) return `${stage} …`
  const left = elapsedMs > 2000 && done > 0 ? `, ${duration((elapsedMs * (total - done)) / done)} left` : ''
  return `${stage} … ${done.toLocaleString('en')} of ${total.toLocaleString('en')} (${Math.floor((100 * done) / total)} %${left})`
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}
