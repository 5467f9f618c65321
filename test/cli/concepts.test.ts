import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loopai, succeed, writeFiles } from '../helpers/cli.ts'
import { runGit, temporaryFolder } from '../helpers/repository.ts'

/** The three blocks of the concept document, as they stand there. */
const CONCEPTS = `# Loop App 1: Email Spam Detection
loop_app_id: spam-detector-001
name: "Email Spam Detector"
task: "Classify emails as spam or ham"
input_schema:
  type: object
  properties:
    text: {type: string}
    sender: {type: string}
output_schema:
  type: string
  enum: [spam, ham]
current_version: 3
endpoint: /loop-apps/spam-detector-001/execute

# Loop App 2: Sentiment Analysis
loop_app_id: sentiment-analyzer-001
name: "Customer Sentiment Analyzer"
task: "Analyze customer feedback sentiment"
input_schema:
  type: object
  properties:
    feedback: {type: string}
output_schema:
  type: string
  enum: [positive, negative, neutral]
current_version: 2
endpoint: /loop-apps/sentiment-analyzer-001/execute

# Loop App 3: Email Categorization
loop_app_id: email-categorizer-001
name: "Email Category Router"
task: "Categorize emails into folders"
input_schema:
  type: object
  properties:
    subject: {type: string}
    body: {type: string}
output_schema:
  type: string
  enum: [inbox, urgent, newsletters, promotions]
current_version: 1
endpoint: /loop-apps/email-categorizer-001/execute
`

const APP = 'spam-detector-001'
const SPAM = `
def execute(input_data):
    text = input_data.get("text", "").lower()
    return {"result": "spam" if "prize" in text else "ham", "confidence": 0.8, "reason": "looked for a prize"}
`

test('the blocks of the concept document are three apps, and a program by hand is all that one needs', async () => {
  const folder = temporaryFolder()
  writeFiles(folder, { 'spec.yaml': CONCEPTS })
  const created = await loopai(folder, ['create', '--from', 'spec.yaml'])
  expect(created.status).toBe(0)
  expect(created.stdout.split('\n').map(line => line.split(' ')[1])).toEqual([
    'spam-detector-001',
    'sentiment-analyzer-001',
    'email-categorizer-001',
    undefined,
  ])
  expect(created.stderr).toContain(
    `${APP}: current_version and endpoint ignored: the active link alone says what is active`,
  )
  expect(created.stderr).toContain(`${APP}: input_schema accepts {} too`)

  const nothing = await loopai(folder, ['generate', APP])
  expect(nothing.status).toBe(2)
  expect(nothing.stderr).toContain(`loopai generate ${APP} --examples rows.jsonl`)
  expect(nothing.stderr).toContain(`loopai generate ${APP} --generator template`)

  const draft = path.join(folder, 'loopai-data', 'loop-apps', APP, 'draft', 'program.py')
  expect(await succeed(folder, ['generate', APP, '--generator', 'template'])).toBe(
    `wrote the skeleton in ${path.dirname(draft)}\n`,
  )
  expect(readFileSync(draft, 'utf8')).toContain('def execute(input_data):')
  const unfilled = await loopai(folder, ['add', APP])
  expect(unfilled.status).toBe(6)
  expect(unfilled.stderr).toContain('program.py is still a skeleton')

  writeFiles(path.dirname(draft), { 'program.py': SPAM })
  const again = await loopai(folder, ['generate', APP, '--generator', 'template'])
  expect(again.status).toBe(5)
  expect(again.stderr).toContain('is not overwritten')
  expect(await succeed(folder, ['add', APP])).toBe(`added ${APP} v1\n`)
  expect(await succeed(folder, ['promote', APP])).toBe(`promoted ${APP} v1\n`)
  const reply = JSON.parse(await succeed(folder, ['exec', APP, '{"text": "A prize!"}', '--json']))
  expect(reply).toMatchObject({ output: 'spam', confidence: 0.8, reason: 'looked for a prize', version: 1 })
  expect(runGit(path.join(folder, 'loopai-data'), 'status', '--porcelain')).toBe('')
})

test('one block is taken out of several by its id, and flags say what the file does not', async () => {
  const folder = temporaryFolder()
  writeFiles(folder, { 'spec.yaml': CONCEPTS.replaceAll('\n', '\r\n') })
  const args = [
    'create',
    'sentiment-analyzer-001',
    '--from',
    'spec.yaml',
    '--task',
    'How do they feel: well?',
  ]
  await succeed(folder, args)
  const app = path.join(folder, 'loopai-data', 'loop-apps', 'sentiment-analyzer-001')
  expect(readFileSync(path.join(app, 'config.yaml'), 'utf8')).toBe(`loop_app_id: sentiment-analyzer-001
# Loop App 2: Sentiment Analysis
name: "Customer Sentiment Analyzer"
task: 'How do they feel: well?'
input_schema:
  type: object
  properties:
    feedback: {type: string}
output_schema:
  type: string
  enum: [positive, negative, neutral]
`)
})

test('when one of several apps exists already, none is created', async () => {
  const folder = temporaryFolder()
  await succeed(folder, ['create', 'email-categorizer-001'])
  writeFiles(folder, { 'spec.yaml': CONCEPTS })
  const { status, stderr } = await loopai(folder, ['create', '--from', 'spec.yaml'])
  expect(status).toBe(5)
  expect(stderr).toContain('there is a Loop App email-categorizer-001 already')
  expect(await succeed(folder, ['list', '--quiet'])).toBe('email-categorizer-001\n')
})
