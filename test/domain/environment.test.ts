import { expect, test } from 'vitest'
import { environmentFindings, isAtLeast } from '../../src/domain/environment.ts'

test.each([
  ['v20.19.1', '20.19', true],
  ['20.18.9', '20.19', false],
  ['22.0.0', '20.19', true],
  ['2.39.5.windows.1', '2.38', true],
  ['2.4', '2.38', false],
  ['3', '2.38', true],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected)
})

test.each([
  ['nothing for what is new enough', '22.13.0', '2.38.0', []],
  ['an old Node', '18.0.0', '2.40.0', [/^Node 18\.0\.0 is too old/]],
  ['a git that cannot sync', '20.19.0', '2.37.1', [/too old for sync/]],
  ['a git that is too old', '20.19.0', '2.30.0', [/git 2\.30\.0 is too old: 2\.36/]],
  ['no git', '20.19.0', undefined, [/git is not installed/]],
])('finds %s', (_, node, git, expected) => {
  const messages = environmentFindings({ node, git }).map(({ message }) => message)
  expect(messages).toEqual(expected.map(pattern => expect.stringMatching(pattern)))
})
