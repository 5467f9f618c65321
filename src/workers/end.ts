import { constants } from 'node:os'
import type { FailureKind } from '../domain/outcome.ts'
import { printable } from './protocol.ts'

/** Why a process is no more. */
export interface End {
  kind: FailureKind
  message: string
}

/** Of bwrap and of an interpreter that did not get as far as the harness; of a shell that could not start either. Never of the harness. */
const NEVER_STARTED = [1, 126, 127]

/** The harness passes on, as 128 + n, the signal that ended the program. */
export function causeOfEnd(status: number | null, signal: NodeJS.Signals | null, isLoaded: boolean): End {
  const number = signal ? constants.signals[signal] : status !== null && status > 128 ? status - 128 : 0
  if (number === constants.signals.SIGXCPU)
    return { kind: 'cpu', message: 'the program used up its processor time' }
  if (number) return { kind: 'killed', message: `the program was ended by ${signalName(number)}` }
  if (status !== null && NEVER_STARTED.includes(status) && !isLoaded)
    return { kind: 'sandbox-unavailable', message: 'the process could not be started' }
  return { kind: 'noreply', message: 'the program ended without an answer' }
}

/** The same, with what the process said last: for one that could not be started, that is the reason. */
export function withLastWords({ kind, message }: End, logs: string): End {
  const lastLine = printable(logs).trim().split('\n').at(-1)
  if (!lastLine) return { kind, message }
  return {
    kind,
    message: kind === 'sandbox-unavailable' ? lastLine : `${message}; its last words: ${lastLine}`,
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}
