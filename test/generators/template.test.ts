import { expect, test } from 'vitest'
import template from '../../src/generators/template.ts'
import { briefOf, contentOf, never, runProgram, topicRows } from './briefs.ts'

test('the skeleton names the task, the schemas and the labels, and refuses to answer', async () => {
  const draft = await template.generate(briefOf(topicRows(4)), never)
  const code = contentOf(draft, 'program.py')
  expect(code).toContain('Tell the labels apart')
  expect(code).toContain('one of "fruit", "tool"')
  expect(() => runProgram(draft, [{ text: 'pear' }])).toThrow(
    /NotImplementedError: program.py is still a skeleton/,
  )
})

test('a hostile specification stays inside the docstring', async () => {
  const brief = briefOf([], {
    output: { enum: ['"""\nraise SystemExit(3)\n"""', '\\', '\u202e', true, null] },
  })
  Object.assign(brief.app, { name: '"""', task: 'ends with "' })
  const draft = await template.generate(brief, never)
  expect(contentOf(draft, 'program.py')).not.toMatch(/\u202e/)
  expect(() => runProgram(draft, [{}])).toThrow(/NotImplementedError/)
})
