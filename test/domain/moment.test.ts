import { expect, test } from 'vitest'
import { type HistoryEntry, momentOf } from '../../src/domain/history.ts'

const DAY = (day: number, entry: Partial<HistoryEntry>): HistoryEntry => ({
  id: String(day),
  at: `2026-01-0${day}T12:00:00.000Z`,
  by: `person ${day}`,
  op: 'promote',
  from: null,
  to: null,
  reason: null,
  evidence: null,
  forced: false,
  via: 'cli',
  ...entry,
})

const HISTORY = [
  DAY(2, { to: 1, to_digest: 'one' }),
  DAY(4, { to: 2, from: 1, to_digest: 'two' }),
  DAY(5, { op: 'pause' }),
  DAY(6, { op: 'rollback', from: 2, to: 1, to_digest: 'one' }),
]

test.each([
  [
    'before the first promotion',
    '2026-01-01T00:00Z',
    { version: null, digest: null, state: 'active', since: null },
  ],
  ['at the very moment of one', '2026-01-02T12:00Z', { version: 1, digest: 'one', by: 'person 2' }],
  ['between two', '2026-01-03T00:00Z', { version: 1, since: '2026-01-02T12:00:00.000Z' }],
  ['while it was paused', '2026-01-05T13:00Z', { version: 2, digest: 'two', state: 'paused' }],
  ['after a rollback', '2026-02-01T00:00Z', { version: 1, by: 'person 6', state: 'paused' }],
])('what was live %s', (_, at, expected) => {
  expect(momentOf(HISTORY, new Date(at))).toMatchObject(expected)
})
