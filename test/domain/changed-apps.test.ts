import { expect, test } from 'vitest'
import { groupChanges } from '../../src/domain/changed-apps.ts'

test.each([
  [['loop-apps/a/artifacts/v2/program.py', 'loop-apps/a/artifacts/v2/manifest.json'], [['a', [2], false]]],
  [['loop-apps/a/artifacts/v10/x.py', 'loop-apps/a/artifacts/v9/x.py'], [['a', [9, 10], false]]],
  [
    ['loop-apps/b/artifacts/active', 'loop-apps/a/tests/cases.jsonl'],
    [
      ['a', [], true],
      ['b', [], true],
    ],
  ],
  [['loop-apps/a/config.yaml', 'loop-apps/a/artifacts/v1/x.py'], [['a', [1], true]]],
  [['loop-apps/a/history.jsonl', 'loop-apps/a/artifacts/v0/x', 'loop-apps/README.md', 'loopai.yaml'], []],
])('%j asks for %j', (paths, expected) => {
  const found = groupChanges(paths).map(app => [app.loop_app_id, app.versions, app.judgedAnew])
  expect(found).toEqual(expected)
})
