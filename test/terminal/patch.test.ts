import { expect, test } from 'vitest'
import { describePatch } from '../../src/terminal/patch.ts'
import { createStyle } from '../../src/terminal/style.ts'

const model = `diff --git v1/model.json v2/model.json
--- v1/model.json
+++ v2/model.json
@@ -1 +1 @@
-${'a'.repeat(5000)}
+${'b'.repeat(5000)}
`
const program = `diff --git v1/program.py v2/program.py
${Array.from({ length: 300 }, (_, i) => `+line ${i}\n`).join('')}`

test('a patch is cut where nobody reads on, and says what is left out', async () => {
  const style = await createStyle(false)
  const lines = describePatch(model + program, style)
  expect(lines[4]).toBe(`-${'a'.repeat(199)} … 5 KB more`)
  expect(lines.slice(6, 8)).toEqual(['diff --git v1/program.py v2/program.py', '+line 0'])
  expect(lines.at(-1)).toBe('… 201 more lines, 2 KB; all with --full')
  expect(lines).toHaveLength(6 + 101)
})

test('all of it is there with --full', async () => {
  const lines = describePatch(model + program, await createStyle(false), true)
  expect(`${lines.join('\n')}\n`).toBe(model + program)
})
