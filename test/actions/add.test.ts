import { appendFileSync, cpSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { add } from '../../src/actions/add.ts'
import { generate } from '../../src/actions/generate.ts'
import { createApp } from '../helpers/app.ts'

const WORDS = {
  spam: ['free prize', 'win money', 'cheap pills'],
  ham: ['meeting notes', 'lunch today', 'see you'],
}
const ROWS = Object.entries(WORDS).flatMap(([output, texts]) =>
  Array.from({ length: 20 }, (_, i) => ({ input: { text: `${texts[i % 3]} ${i}` }, output })),
)

test('an edited copy of a learned version is not judged on the rows that it was learned from', async () => {
  const { id, workspace, folder, said } = await createApp(ROWS)
  const learned = await generate(workspace, { app: id })
  const version = path.join(folder, 'artifacts', 'v1')
  const draft = path.join(folder, 'draft')
  cpSync(version, draft, { recursive: true })
  rmSync(path.join(draft, 'manifest.json'))
  expect(readdirSync(draft)).toContain('model.json')
  appendFileSync(path.join(draft, 'program.py'), '\n# edited\n')
  const added = await add(workspace, { app: id })
  expect(added).toMatchObject({ version: 2, changed: true })
  const { method, right, total } = learned.score!.held_out
  expect(added.score.held_out).toMatchObject({ method: 'out_of_fold', right, total })
  expect(method).toBe('out_of_fold')
  expect(said.at(-1)).toMatch(/^model\.json was learned for v1, so the verdicts of v1 stay/)
})
