/** Structured lines, one JSON object each. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  flush(): void
}

export const SILENT: Log = { info() {}, warn() {}, error() {}, flush() {} }

const BUFFER_BYTES = 8 * 1024
const FLUSH_MS = 250

/** The time as pino wants it. Many lines are of the same millisecond. */
function createClock(): () => string {
  let last = { now: 0, text: '' }
  return () => {
    const now = Date.now()
    if (now !== last.now) last = { now, text: `,"time":"${new Date(now).toISOString()}"` }
    return last.text
  }
}

/** Writes to a descriptor, stderr by default, a few lines at a time. Whoever makes it flushes it at the end. */
export async function createLog(descriptor = 2): Promise<Log> {
  const { default: pino } = await import('pino')
  const destination = pino.destination({
    dest: descriptor,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_MS,
  })
  const logger = pino({ base: undefined, timestamp: createClock() }, destination)
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    flush() {
      try {
        destination.flushSync()
      } catch {
        // It was not open yet, or is closed by now: nobody reads it.
      }
    },
  }
}
