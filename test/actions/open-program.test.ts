import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openProgram } from '../../src/actions/open-program.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { temporaryFolder } from '../helpers/repository.ts'

const DEPTH = 100_000

test.each<[string, object]>([
  ['uniqueItems', { uniqueItems: true }],
  ['a schema that names itself', { items: { $ref: '#' } }],
])('an input that is nested too deep is one that does not fit, also with %s', async (_, input_schema) => {
  const directory = temporaryFolder()
  writeFileSync(path.join(directory, 'program.py'), 'def execute(value): return len(value)\n')
  const place = {
    ...{ loopAppId: 'test-001', version: 'draft' as const, directory },
    ...{ runtime: 'python' as const, entry: 'program.py', isolation: 'shared' as const },
  }
  const contract = {
    input_schema: input_schema as Record<string, never>,
    output_schema: {},
    limits: DEFAULT_LIMITS,
  }
  const program = await openProgram(place, contract)
  try {
    const deep = JSON.parse(
      `[${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}]`,
    )
    const outcomes = [await program.answer(deep), ...(await program.answerMany([[], deep, [[]]]))]
    const refused = {
      status: 'error',
      error: { kind: 'invalid_input', message: expect.stringMatching(/levels deep/) },
    }
    expect(outcomes).toMatchObject([refused, { output: 0 }, refused, { output: 1 }])
  } finally {
    await program.close()
  }
})
