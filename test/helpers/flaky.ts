import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Flaky {
  url: string
  /** Requests that came since it was asked last. */
  count(): number
}

/**
 * A proxy in front of a real server. Below `/fail/<status>/<times>` it fails so many requests first, with the status or, for 0, by breaking
 * the connection; everything else goes through.
 */
export async function flakyProxy(target: string): Promise<Flaky> {
  const failures = new Map<string, number>()
  let requests = 0
  const server = createServer(async (incoming, answer) => {
    requests++
    const match = /^(\/fail\/(\d+)\/(\d+))?(\/.*)$/.exec(incoming.url!)!
    const [, rule, status, times, path] = match
    const body = await bodyOf(incoming)
    if (rule) {
      const failed = failures.get(rule) ?? 0
      if (failed < Number(times)) {
        failures.set(rule, failed + 1)
        if (status === '0') return incoming.socket.destroy()
        answer.writeHead(Number(status), { 'Retry-After': '0', 'Content-Type': 'text/html' })
        return answer.end('<h1>a proxy on the way</h1>')
      }
      failures.delete(rule)
    }
    const onward = request(
      target + path,
      { method: incoming.method!, headers: incoming.headers },
      response => {
        answer.writeHead(response.statusCode!, response.headers)
        response.pipe(answer)
      },
    )
    onward.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count() {
      const count = requests
      requests = 0
      return count
    },
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks)
}
