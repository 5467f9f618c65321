import { LoopaiError } from '../domain/errors.ts'
import type { Answer, Call } from './exchange.ts'
import type { Service } from './service.ts'

/** The service as a function: no port is needed. */
export function createHandler(service: Service): (request: Request) => Promise<Response> {
  return async request => {
    const { status, headers, body } = await service.answer(callOf(request))
    return new Response(request.method === 'HEAD' ? null : bodyOf(body), { status, headers })
  }
}

function callOf(request: Request): Call {
  const { pathname, searchParams, host } = new URL(request.url)
  const stream = () => (request.body ?? []) as AsyncIterable<Uint8Array>
  return {
    method: request.method,
    path: pathname,
    query: () => searchParams,
    header: name => request.headers.get(name) ?? (name === 'host' ? host : undefined),
    async read(maxBytes) {
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of stream()) {
        size += chunk.length
        if (size > maxBytes) throw tooLarge(maxBytes)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
    async *stream() {
      for await (const chunk of stream()) yield Buffer.from(chunk)
    },
    isGone: () => request.signal.aborted,
  }
}

export function tooLarge(maxBytes: number): LoopaiError {
  return new LoopaiError('INPUT_TOO_LARGE', `the body is larger than ${Math.round(maxBytes / 1024)} KiB`, {
    hint: 'limits.input_kb in config.yaml sets how large an input may be',
  })
}

function bodyOf(body: Answer['body']): string | ReadableStream<Uint8Array> {
  if (typeof body === 'string') return body
  const parts = body[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await parts.return?.()
    },
  })
}
