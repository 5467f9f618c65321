import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { promote } from '../../src/actions/promote.ts'
import { testChanged } from '../../src/actions/test-changed.ts'
import { junit } from '../../src/terminal/junit.ts'
import { summary } from '../../src/terminal/summary.ts'
import { topicRows } from '../generators/briefs.ts'
import { createApp } from '../helpers/app.ts'
import { runGit } from '../helpers/repository.ts'

const program = (tools: string) => `def execute(input_data):
    return "tool" if any(word in input_data["text"] for word in "${tools}".split()) else "fruit"
`
const GOOD = program('hammer saw drill wrench chisel plane file')

test('what has changed since a commit is tested, and nothing else', async () => {
  const app = await createApp(topicRows(40))
  const root = path.join(app.folder, '../..')
  const commit = () => runGit(root, 'rev-parse', 'HEAD')
  const since = async (ref: string) =>
    (await testChanged(app.workspace, ref)).map(({ version, outcome }) => `v${version} ${outcome}`)

  const created = commit()
  await add(app.workspace, { app: app.id, path: app.put('draft/one.py', GOOD) })
  const added = commit()
  expect(await since(created)).toEqual(['v1 pass'])
  expect(await since(added)).toEqual([])

  await promote(app.workspace, { address: app.id })
  expect(await since(added)).toEqual(['v1 pass'])

  const promoted = commit()
  await add(app.workspace, { app: app.id, path: app.put('draft/one.py', program('hammer')) })
  expect(await since(promoted)).toEqual(['v2 fail'])

  // Not committed yet, and all the same what a promotion would be judged by.
  const latest = commit()
  app.put('tests/cases.jsonl', '{"id":"odd","input":{"text":"a <b> & \\"c\\""},"output":"tool"}\n')
  runGit(root, 'add', '.')
  expect(await since(latest)).toEqual(['v1 fail'])
  const tested = await testChanged(app.workspace, latest)
  expect(junit(tested)).toContain(
    '<testcase classname="test-001 v1" name="case odd"><failure message="expected &quot;tool&quot;, got &quot;fruit&quot;"/></testcase>',
  )
  expect(junit(tested)).toMatch(/<testsuites name="loopai" tests="4" failures="2">/)
  expect(summary(tested)).toContain('- odd: expected <code>"tool"</code>, got <code>"fruit"</code>')
  expect(summary(tested)).toMatch(/\| test-001 v1 \| ❌ fail \| 100.0 % \(.*\) \| {2}\| 0 of 1 \|/)
})

test('a commit that git does not know is named', async () => {
  const app = await createApp(topicRows(4))
  for (const ref of ['origin/main', '--output=x']) {
    await expect(testChanged(app.workspace, ref)).rejects.toMatchObject({
      code: 'USAGE',
      message: `git knows no commit ${ref}`,
    })
  }
})

test('what a program says makes no Markdown and no XML of its own', async () => {
  const app = await createApp(topicRows(10))
  await add(app.workspace, { app: app.id, path: app.put('draft/one.py', GOOD) })
  appendFileSync(
    app.put('tests/cases.jsonl', ''),
    '{"id":"[x](http://a)|<img>","input":{"text":"pear"},"output":"tool"}\n',
  )
  runGit(app.folder, 'add', '.')
  const tested = await testChanged(app.workspace, 'HEAD~1')
  expect(summary(tested)).toContain('\\[x\\](http://a)\\|\\<img\\>: expected')
  expect(junit(tested)).toContain('name="case [x](http://a)|&lt;img&gt;"')
})
