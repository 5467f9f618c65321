/** An e-mail client: spam goes away, the rest into its folder with its priority. */
import { createInterface } from 'node:readline'
import { LoopaiClient } from 'loopai/client'

interface Email {
  subject: string
  body: string
}

const spamDetector = new LoopaiClient('spam-detector-001')
const emailCategorizer = new LoopaiClient('email-categorizer-001')
const priorityScorer = new LoopaiClient('priority-scorer-001')

async function processIncomingEmail(email: Email) {
  const spam = await spamDetector.execute<'spam' | 'ham'>({ text: email.body })
  if (spam.output === 'spam') return 'move_to_spam'

  const [category, priority] = await Promise.all([
    emailCategorizer.execute<string>({ subject: email.subject, body: email.body }),
    priorityScorer.execute<string>({ email }),
  ])
  return { folder: category.output, priority: priority.output }
}

for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(await processIncomingEmail(JSON.parse(line))))
}
