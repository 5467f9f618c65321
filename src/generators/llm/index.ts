import { type Brief, type Cost, type Generator, MOST_UNPRICED_CALLS } from '../../domain/draft.ts'
import { LoopaiError } from '../../domain/errors.ts'
import { sha256 } from '../../domain/sha256.ts'
import { type AskOptions, ask, quote } from './ask.ts'
import { checkKey, type Endpoint, endpointOf } from './endpoint.ts'
import { type Prompt, writePrompt } from './prompt.ts'
import { type Answer, programIn } from './protocols.ts'

/** A guess from above: English has about four characters a token, code and other languages fewer. */
const CHARACTERS_PER_TOKEN = 2.5

/** Has a language model write the program. Two protocols, by plain fetch: a library for them would weigh more than all the rest of this package. */
const llm: Generator = {
  async generate(brief, signal) {
    signal.throwIfAborted()
    const { settings = { use: 'llm' }, isTrusted = false } = brief
    const endpoint = endpointOf(settings, { env: process.env, isTrusted })
    const prompt = writePrompt(brief)
    if ((brief.external ?? 'none') === 'none')
      throw forbidden(brief, endpoint, writePrompt({ ...brief, external: 'full' }))
    checkKey(endpoint)
    const cost = newCost(endpoint, prompt)
    const { program, notes } = await converse(brief, { endpoint, prompt, cost, signal })
    return {
      runtime: 'python',
      entry: 'program.py',
      files: [{ path: 'program.py', content: program.endsWith('\n') ? program : `${program}\n` }],
      notes: [...(notes ? [notes] : []), describeCost(cost, endpoint)],
      parity: [],
      cost,
    }
  },
}

export default llm

/** Says what would be sent, and which setting allows it. Nothing has been sent. */
function forbidden(
  { app, examples }: Brief,
  { url, model }: Endpoint,
  { system, messages, rows }: Prompt,
): LoopaiError {
  const size = Math.ceil(
    (system.length + messages.reduce((sum, { content }) => sum + content.length, 0)) / 1024,
  )
  return new LoopaiError(
    'EXTERNAL_FORBIDDEN',
    `privacy.external of ${app.id} is none: nothing was sent. ${model} at ${url} would be sent the task, both schemas and ${rows} of ${examples.length} labelled rows (${size} KB), and what its programs get wrong`,
    {
      hint: 'allow it in config.yaml with privacy: {external: full}, or {external: redacted} to send no content of rows, only their shapes',
      details: { url, model, rows, kilobytes: size },
    },
  )
}

interface Conversation {
  endpoint: Endpoint
  prompt: Prompt
  cost: Cost
  signal: AbortSignal
}

/** The program, after at most one repetition for an answer in another form. */
async function converse(brief: Brief, talk: Conversation): Promise<{ program: string; notes: string }> {
  const first = await askWithSchema(brief, talk)
  const found = programIn(first.content)
  if (!('problem' in found) && !first.isCut) return found
  const problem = first.isCut
    ? `the answer was cut off after ${talk.endpoint.maxOutputTokens} tokens; write a shorter program`
    : (found as { problem: string }).problem
  const content = typeof first.content === 'string' ? first.content : JSON.stringify(first.content ?? '')
  const again = await askPaid(brief, {
    ...talk,
    prompt: {
      ...talk.prompt,
      messages: [
        ...talk.prompt.messages,
        { role: 'assistant', content: content.slice(0, 20_000) || '…' },
        {
          role: 'user',
          content: `This cannot be used: ${problem}. Answer with that JSON object only, nothing before or after it.`,
        },
      ],
    },
    strict: true,
  })
  const second = programIn(again.content)
  if (!('problem' in second) && !again.isCut) return second
  const last = quote(talk.endpoint, 'problem' in second ? second.problem : problem)
  throw new LoopaiError('GENERATOR_FAILED', `${talk.endpoint.model} gave no program, twice: ${last}`, {
    hint: 'name another model with --model',
    details: { cost_usd: talk.cost.usd },
  })
}

/** Some servers refuse to be given a schema; the prompt asks for the same form. */
async function askWithSchema(brief: Brief, talk: Conversation): Promise<Answer> {
  try {
    return await askPaid(brief, { ...talk, strict: true })
  } catch (error) {
    const isRefused = error instanceof LoopaiError && error.details.status === 400
    if (!isRefused || !/response_format|json_schema|tool/i.test(error.message)) throw error
    return askPaid(brief, { ...talk, strict: false })
  }
}

async function askPaid(
  brief: Brief,
  { endpoint, prompt, cost, signal, strict }: Conversation & { strict: boolean },
): Promise<Answer> {
  if (endpoint.prices) checkBudget(brief, { endpoint, prompt, cost })
  else checkCalls(brief, cost)
  const report = (stage: string) => brief.report?.({ stage, done: 0, total: 1 })
  const onWait: AskOptions['onWait'] = (seconds, why) => report(`waiting ${seconds} s: ${why}`)
  report(`${endpoint.model} is writing`)
  const answer = await ask(endpoint, prompt, { signal, strict, onWait })
  cost.calls++
  cost.input_tokens += answer.inputTokens
  cost.output_tokens += answer.outputTokens
  cost.usd = usd(endpoint, cost.input_tokens, cost.output_tokens)
  if (answer.refusal !== undefined) {
    throw new LoopaiError(
      'GENERATOR_FAILED',
      `${endpoint.model} refuses to write it: ${quote(endpoint, answer.refusal)}`,
      {
        hint: 'say in the task of config.yaml what the app is good for, or name another model with --model',
        details: { cost_usd: cost.usd },
      },
    )
  }
  return answer
}

/** Before every question: what it costs at most has to be left. */
function checkBudget(
  brief: Brief,
  { endpoint, prompt, cost }: Pick<Conversation, 'endpoint' | 'prompt' | 'cost'>,
): void {
  if (brief.budgetUsd === undefined) return
  const characters =
    prompt.system.length + prompt.messages.reduce((sum, { content }) => sum + content.length, 0)
  const most = usd(endpoint, characters / CHARACTERS_PER_TOKEN, endpoint.maxOutputTokens)
  if (cost.usd + most <= brief.budgetUsd) return
  throw new LoopaiError(
    'BUDGET_EXHAUSTED',
    `the next question may cost ${most.toFixed(4)} USD, and ${Math.max(0, brief.budgetUsd - cost.usd).toFixed(4)} of the budget are left`,
    {
      hint: 'raise budget.llm_usd_per_attempt or lower generator.max_output_tokens in config.yaml',
      details: { cost_usd: cost.usd },
    },
  )
}

function checkCalls({ calls = 0 }: Brief, cost: Cost): void {
  if (calls + cost.calls < MOST_UNPRICED_CALLS) return
  throw new LoopaiError(
    'BUDGET_EXHAUSTED',
    `${MOST_UNPRICED_CALLS} questions were asked, and without prices more are not`,
    {
      hint: 'give generator.prices in config.yaml (0 for a model that costs nothing), and the budget decides',
    },
  )
}

function newCost({ model }: Endpoint, { system, messages }: Prompt): Cost {
  const prompt_sha256 = sha256(JSON.stringify([system, messages]))
  return { model, prompt_sha256, calls: 0, input_tokens: 0, output_tokens: 0, usd: 0 }
}

function usd({ prices }: Endpoint, inputTokens: number, outputTokens: number): number {
  if (!prices) return 0
  return (inputTokens * prices.input_usd_per_million + outputTokens * prices.output_usd_per_million) / 1e6
}

function describeCost(
  { model, calls, input_tokens, output_tokens, usd }: Cost,
  { prices }: Endpoint,
): string {
  const tokens = `${input_tokens.toLocaleString('en')} tokens in, ${output_tokens.toLocaleString('en')} out`
  const price = prices ? `${usd.toFixed(4)} USD` : 'no prices in config.yaml, so its cost is not known'
  return `Written by ${model} in ${calls === 1 ? 'one call' : `${calls} calls`} (${tokens}; ${price}).`
}
