import path from 'node:path'
import { prepared, succeed } from './cli.ts'

const PROGRAMS = path.resolve(import.meta.dirname, '../fixtures/programs')

export function fixtureProgram(name: string): string {
  return path.join(PROGRAMS, name)
}

/** A copy of a folder with a data directory whose app `misbehave-001` does what its input, a text, says. Version 1 is active. */
export const misbehaving = () =>
  prepared(async folder => {
    const schemas = [
      '--input-schema',
      '{"type": "string"}',
      '--output-schema',
      '{"type": ["string", "array"]}',
    ]
    await succeed(folder, ['create', 'misbehave-001', '--task', 'Do what the input says', ...schemas])
    await succeed(folder, ['add', 'misbehave-001', fixtureProgram('misbehave.py')])
    await succeed(folder, ['promote', 'misbehave-001'])
  })
