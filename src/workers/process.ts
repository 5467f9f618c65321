import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import type { Launch, Limits } from '../domain/launch.ts'
import type { FailureKind } from '../domain/outcome.ts'
import { causeOfEnd, type End, withLastWords } from './end.ts'
import { openGroup } from './group.ts'
import { withoutInherited } from './inherited.ts'
import { underLimits } from './limits.ts'

/** What runs on the machine for one worker: killed as one, within one control group if there are any. */
export interface Process {
  /** Descriptor 3. */
  channel: Duplex
  /** Descriptor 5, of its supervisor. */
  control: Duplex | undefined
  /** From here on it may print as much as ever. */
  forgetLogs(): void
  /** Whether the kernel has killed for memory since this was last asked. */
  isOutOfMemory(): boolean
  /** Why it, or the process that ran the program for it, has ended. */
  explain(status: number | null, signal: NodeJS.Signals | null, isLoaded: boolean): End
  kill(): void
  /** Resolves when it is gone, or does not go. */
  gone(): Promise<void>
}

export const OUT_OF_MEMORY: End = { kind: 'memory', message: 'the program used more memory than it may' }
export const CLOSE_MS = 2000
const LOG_BYTES = 64 * 1024
const LOG_TAIL = 2000
/** Time for a process that has closed its channel to end by itself, so that its exit status can say why. */
const LAST_WORDS_MS = 100

/** The process, or why there is none. `stop` is called when it has ended, and when it has to. */
export function startProcess(
  launch: Launch,
  limits: Limits,
  { isLoaded, stop }: { isLoaded(): boolean; stop(kind: FailureKind, message: string): void },
): Process | Error {
  const group = openGroup(limits)
  const child = start(underLimits(launch, group?.joins ?? []))
  if (child instanceof Error) {
    group?.close()
    return child
  }
  const channel = child.stdio[3] as Duplex
  const logs = { size: 0, tail: '' }
  let memoryKills = 0
  let isGone = false

  const kill = () => !isGone && killGroup(child)

  function isOutOfMemory(): boolean {
    const before = memoryKills
    memoryKills = group?.memoryKills() ?? 0
    return memoryKills > before
  }

  function explain(status: number | null, signal: NodeJS.Signals | null, wasLoaded: boolean): End {
    const cause = isOutOfMemory() ? OUT_OF_MEMORY : causeOfEnd(status, signal, wasLoaded)
    const reason = withLastWords(cause, logs.tail)
    logs.tail = ''
    return reason
  }

  channel.on('end', () => setTimeout(kill, LAST_WORDS_MS).unref())

  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.on('data', (chunk: Buffer) => {
      logs.size += chunk.length
      logs.tail = (logs.tail + chunk.toString()).slice(-LOG_TAIL)
      if (logs.size > LOG_BYTES) stop('log-limit', `the program printed more than ${LOG_BYTES / 1024} KiB`)
    })
  }

  // A killed process resets its streams; why it ended is told by its exit.
  for (const stream of child.stdio) stream?.on('error', () => {})

  const gone = new Promise<void>(resolve => {
    child.on('error', problem => {
      stop('sandbox-unavailable', problem.message)
      resolve()
    })
    // Without a process id namespace, something may be left of the group.
    child.on('exit', () => {
      killGroup(child)
      isGone = true
    })
    child.on('close', (status, signal) => {
      const { kind, message } = explain(status, signal, isLoaded())
      stop(kind, message)
      group?.close()
      resolve()
    })
  })

  return {
    channel,
    control: launch.renews ? ([...child.stdio][5] as Duplex) : undefined,
    forgetLogs() {
      logs.size = 0
    },
    isOutOfMemory,
    explain,
    kill,
    async gone() {
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>(resolve => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      await Promise.race([gone, patience])
      clearTimeout(timer)
    },
  }
}

/** Nothing is started when a list of arguments is too long, or no descriptors are left. */
function start(launch: Launch): ChildProcess | Error {
  try {
    const own = ['ignore', 'pipe', 'pipe', 'pipe', launch.filter ? 'pipe' : 'ignore'] as const
    const child = withoutInherited([...own, ...(launch.renews ? (['pipe'] as const) : [])], stdio =>
      // A group of its own, to be killed as one.
      spawn(launch.command, launch.args, { cwd: '/', env: launch.env, detached: true, stdio }),
    )
    child.on('error', () => {})
    if (!child.stdio?.[3]) return new Error('there are too many open files')
    // A pipe needs no file and leaves none behind; a filter is smaller than its buffer, so that nothing waits for anything.
    const filter = child.stdio[4] as Duplex | null
    filter?.on('error', () => {})
    filter?.end(launch.filter)
    return child
  } catch (problem) {
    return problem as Error
  }
}

function killGroup({ pid }: ChildProcess) {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}
