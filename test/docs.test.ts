import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../src/commands/index.ts'
import { ERRORS } from '../src/domain/errors.ts'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

describe('docs/errors.md', () => {
  const rows = read('docs/errors.md')
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.trim()))

  test('lists every error code once, with its exit status and its HTTP status', () => {
    const listed = rows.map(([, code, exit, http]) => [code!.replaceAll('`', ''), Number(exit), Number(http)])
    const known = Object.entries(ERRORS).map(([code, { exit, http }]) => [code, exit, http])
    expect(listed.sort()).toEqual(known.sort())
  })

  test('says of every code what it means', () => {
    expect(rows.filter(cells => cells[4] === '')).toEqual([])
  })
})

test.each(Object.keys(COMMANDS))('the README tells of loopai %s', name => {
  expect(read('README.md')).toContain(`\`${name}\``)
})
