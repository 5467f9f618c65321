import { LoopaiError } from '../domain/errors.ts'

/** Questions go to stderr, so that a result can be piped all the same. The library is loaded when something is asked. */
const CONTEXT = { output: process.stderr, input: process.stdin, clearPromptOnDone: false }

export async function askText(message: string, options: { default?: string } = {}): Promise<string> {
  const { input } = await import('@inquirer/prompts')
  const required = (text: string) => text.trim() !== '' || 'please type something, or press Ctrl-C'
  return settle(input({ message, ...options, validate: required }, CONTEXT))
}

export async function askChoice<Value>(
  message: string,
  choices: { name: string; value: Value; description?: string }[],
): Promise<Value> {
  const { select } = await import('@inquirer/prompts')
  return settle(select({ message, choices }, CONTEXT))
}

export async function askYes(message: string, preset = true): Promise<boolean> {
  const { confirm } = await import('@inquirer/prompts')
  return settle(confirm({ message, default: preset }, CONTEXT))
}

async function settle<Value>(answer: Promise<Value>): Promise<Value> {
  try {
    return await answer
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ExitPromptError') {
      throw new LoopaiError('INTERRUPTED', 'nothing was changed', { cause })
    }
    throw cause
  }
}

/** Lines as they are typed or pasted, up to an empty one. */
export async function askLines(message: string): Promise<string[]> {
  const { createInterface } = await import('node:readline')
  process.stderr.write(`${message}\n`)
  const reader = createInterface({ ...CONTEXT, prompt: '' })
  const lines: string[] = []
  try {
    for await (const line of reader) {
      if (line.trim() === '') break
      lines.push(line)
    }
  } finally {
    reader.close()
  }
  return lines
}
