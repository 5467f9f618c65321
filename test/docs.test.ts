import { readdirSync, readFileSync } from 'node:fs'
import { Command } from 'commander'
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

/** Options that every command has. */
const GLOBAL = ['--help', '--dir', '--json', '--quiet', '--yes']

test('a hint names a command and options that exist', async () => {
  const options = new Map<string, Set<string>>()
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const command = new Command(name)
    ;(await load()).default.define(command)
    options.set(name, new Set([...command.options.map(option => option.long!), ...GLOBAL]))
  }
  const source = new URL('../src/', import.meta.url)
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.ts'),
  )
  const wrong = files.flatMap(file =>
    [
      ...read(`src/${file}`).matchAll(/\bloopai (?!as |help |command )([a-z]+)((?:(?! {3})[^\n`'",])*)/g),
    ].flatMap(([text, name, rest]) => {
      const known = options.get(name!)
      return known && (rest!.match(/--[a-z-]+/g) ?? []).every(option => known.has(option))
        ? []
        : [`${file}: ${text}`]
    }),
  )
  expect(wrong).toEqual([])
})
