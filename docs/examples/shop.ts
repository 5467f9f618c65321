/** A shop that takes reviews: spam is refused, the rest gets its sentiment and its department. */
import { createInterface } from 'node:readline'
import { LoopaiClient } from 'loopai/client'

const spamDetector = new LoopaiClient('spam-detector-001')
const sentimentAnalyzer = new LoopaiClient('sentiment-analyzer-001')
const productCategorizer = new LoopaiClient('product-categorizer-001')

async function processReview(review: string) {
  const spam = await spamDetector.execute<'spam' | 'ham'>({ text: review })
  if (spam.output === 'spam') return { status: 'rejected', reason: 'spam' }

  const [sentiment, category] = await Promise.all([
    sentimentAnalyzer.execute<string>({ text: review }),
    productCategorizer.execute<string>({ text: review }),
  ])
  return { status: 'approved', sentiment: sentiment.output, category: category.output }
}

for await (const review of createInterface(process.stdin)) {
  console.log(JSON.stringify(await processReview(review)))
}
