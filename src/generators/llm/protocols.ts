import { isObject } from '../../domain/json.ts'
import type { Endpoint } from './endpoint.ts'
import type { Prompt } from './prompt.ts'

/** One question in a server's own words, and how to read its answer. */
export interface Protocol {
  path: string
  headers(endpoint: Endpoint): Record<string, string>
  /** `strict`: with a schema for the answer; some servers refuse it. */
  body(endpoint: Endpoint, prompt: Prompt, strict: boolean): object
  read(answer: Record<string, unknown>): Answer
}

export interface Answer {
  /** What was submitted: an object where the server knows schemas, else text. */
  content: unknown
  refusal: string | undefined
  isCut: boolean
  inputTokens: number
  outputTokens: number
}

const SCHEMA = {
  type: 'object',
  properties: {
    notes: { type: 'string', description: 'One or two sentences on how the program decides' },
    program: { type: 'string', description: 'The whole text of program.py' },
  },
  required: ['notes', 'program'],
  additionalProperties: false,
}
const TOOL = 'submit_program'

/** Chat completions, as OpenAI, Ollama, vLLM, llama.cpp and many others speak them. */
export const chatCompletions: Protocol = {
  path: '/chat/completions',
  headers: ({ key }): Record<string, string> => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
  body: ({ model, url, maxOutputTokens }, { system, messages }, strict) => ({
    model,
    messages: [{ role: 'system', content: system }, ...messages],
    [url.includes('api.openai.com') ? 'max_completion_tokens' : 'max_tokens']: maxOutputTokens,
    ...(strict && {
      response_format: { type: 'json_schema', json_schema: { name: TOOL, strict: true, schema: SCHEMA } },
    }),
  }),
  read(answer) {
    const choice = first(answer.choices)
    const message = isObject(choice.message) ? choice.message : {}
    const usage = isObject(answer.usage) ? answer.usage : {}
    return {
      content: message.content,
      refusal:
        textOf(message.refusal) ?? (choice.finish_reason === 'content_filter' ? 'filtered' : undefined),
      isCut: choice.finish_reason === 'length',
      inputTokens: count(usage.prompt_tokens),
      outputTokens: count(usage.completion_tokens),
    }
  },
}

/** Anthropic's messages. */
export const anthropicMessages: Protocol = {
  path: '/messages',
  headers: ({ key }) => ({
    'anthropic-version': '2023-06-01',
    ...(key !== undefined && { 'x-api-key': key }),
  }),
  body: ({ model, maxOutputTokens }, { system, messages }, strict) => ({
    model,
    max_tokens: maxOutputTokens,
    system,
    messages,
    ...(strict && {
      tools: [{ name: TOOL, description: 'Hands in the program', input_schema: SCHEMA }],
      tool_choice: { type: 'tool', name: TOOL },
    }),
  }),
  read(answer) {
    const blocks = (Array.isArray(answer.content) ? answer.content : []).filter(isObject)
    const texts = blocks.flatMap(block => textOf(block.text) ?? [])
    const usage = isObject(answer.usage) ? answer.usage : {}
    return {
      content: blocks.find(block => block.type === 'tool_use')?.input ?? texts.join('\n'),
      refusal: answer.stop_reason === 'refusal' ? texts.join('\n') || 'without a reason' : undefined,
      isCut: answer.stop_reason === 'max_tokens',
      inputTokens: count(usage.input_tokens),
      outputTokens: count(usage.output_tokens),
    }
  },
}

/** The program in an answer: the object that was asked for, as such or as text, else the one block of Python in it. */
export function programIn(content: unknown): { program: string; notes: string } | { problem: string } {
  const value = typeof content === 'string' ? parse(content) : content
  if (isObject(value) && typeof value.program === 'string' && value.program.trim() !== '') {
    return { program: value.program, notes: textOf(value.notes) ?? '' }
  }
  const blocks = typeof content === 'string' ? [...content.matchAll(/```(?:python|py)\n([\s\S]*?)```/g)] : []
  if (blocks.length === 1) return { program: blocks[0]![1]!, notes: '' }
  const found = isObject(value)
    ? `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`
    : 'no JSON object'
  return { problem: `expected {"notes": string, "program": string}, got ${found}` }
}

function parse(text: string): unknown {
  const inner = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)
  try {
    return JSON.parse(inner)
  } catch {
    return undefined
  }
}

function first(list: unknown): Record<string, unknown> {
  const item = Array.isArray(list) ? list[0] : undefined
  return isObject(item) ? item : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function count(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0
}
