import { describe, expect, test } from 'vitest'
import {
  type HistoryEntry,
  isHeld,
  lifecycleOf,
  needOf,
  predecessor,
  statusOf,
} from '../../src/domain/history.ts'

const BASE = { at: '', by: 'Ada', reason: null, evidence: null, forced: false, via: 'cli' } as const

function historyOf(...entries: Partial<HistoryEntry>[]): HistoryEntry[] {
  return entries.map((entry, i) => ({ ...BASE, id: String(i), op: 'mark', from: null, to: null, ...entry }))
}

const pause = { op: 'pause' } as const
const resume = { op: 'resume' } as const
const archive = { op: 'archive' } as const
const rollback = { op: 'rollback', from: 2, to: 1, mark: 'bad', hold: true } as const
const promote = (to: number, from: number | null = null) => ({ op: 'promote', from, to }) as const
const removed = (to: number) => ({ op: 'remove', to }) as const

describe('the state of an app', () => {
  test.each([
    ['active when nothing happened', [], 'active'],
    ['paused', [pause], 'paused'],
    ['active after a resume', [pause, resume], 'active'],
    ['archived, also when it was paused before', [pause, archive], 'archived'],
    ['what the last word says', [archive, resume, pause], 'paused'],
    ['not changed by a promotion', [pause, promote(2)], 'paused'],
  ])('is %s', (_, entries, state) => {
    expect(lifecycleOf(historyOf(...entries))).toBe(state)
  })
})

describe('a hold', () => {
  test.each([
    ['is not there at first', [promote(1)], false],
    ['comes with a rollback', [rollback], true],
    ['is lifted by a resume', [rollback, resume], false],
    ['is lifted by a promotion of a person', [rollback, promote(3)], false],
    ['is lifted by a promotion of a script in CI', [rollback, { ...promote(3), via: 'ci' as const }], false],
    ['is not lifted by an automatic one', [rollback, { ...promote(3), via: 'canary' as const }], true],
    ['comes back with the next rollback', [rollback, promote(3), rollback], true],
    [
      'stays during a rollback that keeps its version good',
      [rollback, { op: 'rollback' as const, from: 1, to: 3 }],
      true,
    ],
  ])('%s', (_, entries, held) => {
    expect(isHeld(historyOf(...entries))).toBe(held)
  })
})

describe('a version is needed', () => {
  const judged = (to: number, against: number) => ({
    ...promote(to, against),
    evidence: { candidate: { version: to }, active: { version: against } },
  })
  test.each([
    ['when it is active', 2, [promote(1), promote(2, 1)], 'it is active'],
    ['when a rollback goes to it', 1, [promote(1), promote(2, 1)], 'a rollback of v2 would go back to it'],
    [
      'when another was judged against it',
      3,
      [promote(1), judged(4, 3), promote(1, 4), promote(2, 1)],
      'v4 was judged against it',
    ],
    ['not when that one is gone', 3, [judged(4, 3), removed(4), promote(1, 4), promote(2, 1)], undefined],
    ['not for its own evidence', 4, [judged(4, 3), promote(1, 4), promote(2, 1)], undefined],
    ['not when it never was active', 7, [promote(1), promote(2, 1)], undefined],
  ])('%s', (_, version, entries, need) => {
    expect(needOf(version, 2, historyOf(...entries))).toBe(need)
  })
})

test('a removed version says so, and a rollback walks past it', () => {
  const history = historyOf(promote(1), promote(2, 1), promote(3, 2), removed(2))
  expect(statusOf(2, 3, history)).toBe('removed')
  expect(predecessor(history, 3, () => true)).toBe(1)
})
