import { expect, test } from 'vitest'
import { findingsAsMarkdown } from '../../src/terminal/findings.ts'

test('findings are a table, in which nothing that a branch brings becomes markup', () => {
  const hostile = '<img src=x> | [click](http://x) \n@everyone `rm`'
  const finding = { kind: 'version' as const, loop_app_id: 'a', message: hostile, fix: 'restore it' }
  expect(findingsAsMarkdown('loopai check', [finding])).toMatchInlineSnapshot(`
    "### loopai check

    | finding | what to do |
    |---|---|
    | \\<img src=x\\> \\| \\[click\\](http://x) <br>\\@everyone \\\`rm\\\` | restore it |

    "
  `)
  expect(findingsAsMarkdown('loopai check', [])).toBe('### loopai check\n\nNothing to object to.\n\n')
})
