import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What the server answers, one a request; the last one again and again. */
export type Reply =
  | { program: string; tokens?: [number, number] }
  | { text: string }
  | { refusal: string }
  | { cut: string }
  | { status: number; headers?: Record<string, string>; message: string }
  /** As it is, in no protocol. */
  | { raw: string }
  | { hang: true }

export interface Asked {
  path: string
  headers: IncomingHttpHeaders
  // biome-ignore lint/suspicious/noExplicitAny: tests look into both protocols
  body: any
}

export interface ModelServer {
  url: string
  asked: Asked[]
  stop: () => Promise<unknown>
}

/** A server on this machine that speaks chat completions and Anthropic's messages from a script. */
export async function startModelServer(script: Reply[]): Promise<ModelServer> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = request.url!
    asked.push({ path, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) })
    const reply = script[Math.min(asked.length, script.length) - 1]!
    if ('hang' in reply) return
    if ('raw' in reply) return response.end(reply.raw)
    const isAnthropic = path.endsWith('/messages')
    const status = 'status' in reply ? reply.status : 200
    const headers = 'status' in reply ? reply.headers : {}
    const answer =
      'status' in reply
        ? { error: { message: reply.message } }
        : isAnthropic
          ? anthropicAnswer(reply)
          : chatAnswer(reply)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const stop = () => new Promise(resolve => server.close(resolve))
  return { url: `http://127.0.0.1:${port}/v1`, asked, stop }
}

type Answer = Exclude<Reply, { status: number } | { raw: string } | { hang: true }>

function chatAnswer(reply: Answer) {
  const [input, output] = 'program' in reply && reply.tokens ? reply.tokens : [1000, 500]
  const content =
    'program' in reply
      ? JSON.stringify({ notes: 'By its words.', program: reply.program })
      : 'text' in reply
        ? reply.text
        : 'cut' in reply
          ? reply.cut
          : null
  return {
    choices: [
      {
        finish_reason: 'cut' in reply ? 'length' : 'stop',
        message: { role: 'assistant', content, refusal: 'refusal' in reply ? reply.refusal : null },
      },
    ],
    usage: { prompt_tokens: input, completion_tokens: output },
  }
}

function anthropicAnswer(reply: Answer) {
  const [input, output] = 'program' in reply && reply.tokens ? reply.tokens : [1000, 500]
  const usage = { input_tokens: input, output_tokens: output }
  if ('program' in reply) {
    const submitted = { notes: 'By its words.', program: reply.program }
    return {
      content: [{ type: 'tool_use', name: 'submit_program', input: submitted }],
      stop_reason: 'tool_use',
      usage,
    }
  }
  const text = 'text' in reply ? reply.text : 'cut' in reply ? reply.cut : reply.refusal
  const stop_reason = 'cut' in reply ? 'max_tokens' : 'refusal' in reply ? 'refusal' : 'end_turn'
  return { content: [{ type: 'text', text }], stop_reason, usage }
}
