import { expect, test } from 'vitest'
import { type Finished, lineWriter } from '../../src/actions/record.ts'
import type { Json } from '../../src/domain/json.ts'
import type { Version } from '../../src/domain/version.ts'
import type { LoopApp } from '../../src/store/apps.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const PLACE = {
  app: { id: 'test-001' } as LoopApp,
  version: { number: 1, manifest: { digest: 'sha256:0' } } as Version,
  source: 'cli' as const,
  sandbox: 'bubblewrap',
}

function lineOf(finished: Partial<Finished>, redact: string[] = []): string {
  const write = lineWriter('2025-10-29T00:00:00.000Z', {
    ...PLACE,
    privacy: { record: 'full', redact, external: 'full' },
  })
  const outcome = { status: 'success' as const, output: 'yes', latency_ms: 1 }
  return write({ id: ID, input: null, outcome, sample: { isIn: true, probability: 1e-7 }, ...finished })
}

test.each<[string, Partial<Finished>]>([
  ['a client that breaks lines', { client: 'a"\n\r\u2028}' }],
  ['an input that JSON does not know', { input: undefined as unknown as Json }],
  ['members that are called like those of objects', { input: JSON.parse('{"__proto__":{"toJSON":1}}') }],
  [
    'an answer that breaks lines and is hardly sure',
    {
      outcome: { status: 'success', output: '\n"', confidence: -0, reason: '\u2029\n"\ud800', latency_ms: 0 },
    },
  ],
  [
    'an error that breaks lines',
    { outcome: { status: 'error', error: { kind: 'program_error', message: 'a\n"}' }, latency_ms: 0 } },
  ],
])('%s is one line of JSON', (_, finished) => {
  const line = lineOf(finished)
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(JSON.parse(line)).toMatchObject({
    execution_id: ID,
    input: finished.input ?? null,
    status: finished.outcome?.status ?? 'success',
    sampling_probability: 1e-7,
  })
})

test('values of redacted properties are in no line, at any depth and under any name', () => {
  const input = JSON.parse('{"a":[{"secret":"hidden"}],"__proto__":{"secret":{"deep":"hidden"}}}')
  const error = { kind: 'timeout' as const, message: 'late' }
  const line = lineOf({ input, outcome: { status: 'timeout', error, latency_ms: 1 } }, ['secret'])
  expect(line).not.toContain('hidden')
  expect(line.match(/\[redacted\]/g)).toHaveLength(2)
})
