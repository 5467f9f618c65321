import { readdirSync } from 'node:fs'
import path from 'node:path'
import type { Limits } from '../../src/domain/launch.ts'
import type { Reply } from '../../src/domain/outcome.ts'

/** A hostile program of `programs/`, as `{"breach": true}` or the judge says whether it got through. */
export interface Attack {
  number: number
  name: string
  file: string
  /** One call for each; one call with nothing by default. */
  inputs: unknown[]
  /** Whether it got through, by its replies. */
  isBreach: (replies: Reply[]) => boolean
  limits?: Partial<Limits>
  /** Files that lie beside the program. */
  beside?: 'links' | 'modules' | 'pickle'
}

/** What `shared` isolation lets through by design: one version of one app that reads its own inputs, and keeps its own threads. */
export const BY_DESIGN_IN_SHARED = [7, 8, 39, 49, 58, 93]

const kinds = (replies: Reply[]) => replies.map(reply => reply.kind)
const outputOf = (reply: Reply | undefined) =>
  reply?.kind === 'ok' ? (reply.value as { breach?: boolean; [key: string]: unknown } | null) : undefined
const saysBreach = (replies: Reply[]) => replies.some(reply => outputOf(reply)?.breach === true)
const isAnswered = (replies: Reply[]) => kinds(replies).includes('ok')
const isNotStopped = (replies: Reply[]) =>
  !replies.every(({ kind, latencyMs }) => ['timeout', 'cpu', 'killed'].includes(kind) && latencyMs < 4000)
const isLost = (replies: Reply[]) => saysBreach(replies) || kinds(replies).some(kind => kind !== 'ok')

const SPECIAL: Record<number, Partial<Attack>> = {
  4: { beside: 'links' },
  7: { inputs: [1, 2] },
  8: { inputs: ['a', 'b'] },
  27: { inputs: ['plant', 'probe'] },
  29: { inputs: [1, 2], isBreach: isLost },
  30: { inputs: [1, 2], isBreach: isLost },
  32: {
    // The processor limit of a shared process grows with every call. Threads and processes have attacks of their own.
    isBreach: ([reply]) =>
      ((outputOf(reply)?.got ?? []) as string[]).some(limit => !/^(DATA|CPU|NPROC)=unlimited$/.test(limit)),
  },
  34: { isBreach: isNotStopped },
  35: { isBreach: isNotStopped },
  36: { isBreach: isNotStopped },
  37: { isBreach: isNotStopped },
  38: { isBreach: isNotStopped },
  39: { inputs: [1, 2] },
  40: { isBreach: replies => replies[0]?.kind !== 'ok' || replies[0].latencyMs > 1000 },
  44: { isBreach: isAnswered },
  45: {
    inputs: [0, 1, 2, 3, 4, 5],
    isBreach: replies => String(kinds(replies)) !== 'noreply,error,error,killed,killed,ok',
  },
  47: { inputs: [1, 2] },
  48: {
    inputs: [1, 2],
    isBreach: ([, second]) => outputOf(second)?.for === 1,
  },
  49: { inputs: ['first', 'secret-input'], isBreach: isLost },
  50: { inputs: [1, 2] },
  51: { isBreach: isAnswered },
  52: { isBreach: isAnswered },
  53: { isBreach: isAnswered },
  54: { isBreach: isAnswered },
  55: { isBreach: isAnswered },
  56: { isBreach: isAnswered },
  57: { isBreach: isAnswered },
  58: { inputs: [1, 2], isBreach: replies => saysBreach(replies) || replies[1]?.kind !== 'ok' },
  59: { beside: 'modules' },
  60: { beside: 'pickle' },
  61: { isBreach: replies => replies[0]?.kind !== 'start-failed', limits: { load_ms: 1000 } },
  62: { isBreach: isAnswered },
  93: { inputs: ['plant', 'probe'] },
  91: { inputs: [`${'x'.repeat(200)} earlier-secret`, 'look'] },
}

export const ATTACKS: Attack[] = readdirSync(path.join(import.meta.dirname, 'programs'))
  .sort()
  .map(file => {
    const [, number, name] = file.match(/^(\d+)-(.*)\.py$/)!
    return {
      number: Number(number),
      name: name!.replaceAll('-', ' '),
      file,
      inputs: [null],
      isBreach: saysBreach,
      ...SPECIAL[Number(number)],
    }
  })
