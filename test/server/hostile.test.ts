import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { LoopaiClient } from '../../src/client.ts'
import { serveProcess } from '../helpers/serve-process.ts'
import { ANSWER_HAM, dataDirectory, SPAM } from '../helpers/served.ts'

const MB = 1024 * 1024

/** Sends a head and then so many megabytes of a body. Resolves with the status of the answer. */
function send(
  port: number,
  place: string,
  megabytes: number,
  more: string,
  patienceMs = 4000,
): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('data', chunk => resolve(chunk.toString('latin1').slice(9, 12)))
    socket.on('error', () => {})
    socket.on('close', () => resolve('closed'))
    socket.write(
      `POST /loop-apps/${SPAM}/${place} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${more}\r\n`,
    )
    const part = Buffer.alloc(MB, ' ')
    let left = megabytes
    const next = () => {
      if (left-- > 0 && !socket.destroyed) socket.write(part, next)
    }
    next()
    // By then it has been refused, or holds what it has sent.
    setTimeout(() => resolve('none'), patienceMs)
  })
}

test('clients that send much, slowly or nothing take a bounded amount of memory, and others are answered', async () => {
  const server = await serveProcess(await dataDirectory({ programs: [ANSWER_HAM] }))
  const port = Number(new URL(server.url).port)
  const client = new LoopaiClient(SPAM, { baseUrl: server.url, tries: 1 })
  for (let count = 0; count < 200; count++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    if (count % 2) socket.write(`POST /loop-apps/${SPAM}/execute HTTP/1.1\r\nHost: local`)
  }
  const times = <Result>(count: number, work: () => Promise<Result>) =>
    Promise.all(Array.from({ length: count }, work))
  const large = times(8, () => send(port, 'execute', 100, `Content-Length: ${100 * MB}\r\n`))
  const heads = times(20, () => send(port, 'execute', 0, `X-Large: ${'x'.repeat(MB)}\r\n`))
  expect(new Set(await large)).toEqual(new Set(['413']))
  expect(new Set(await heads)).toEqual(new Set(['431']))
  // Each of them is as large as it may be; all of them together are not.
  const batches = await times(12, () => send(port, 'execute-batch', 30, `Content-Length: ${31 * MB}\r\n`))
  expect(new Set(batches)).toEqual(new Set(['503', 'none']))
  const more = await times(20, () => send(port, 'execute', 1, `Content-Length: ${MB + 1}\r\n`))
  expect(more).toContain('503')
  expect((await client.execute({ text: 'a' })).output).toBe('ham')
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8')
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024).toBeLessThan(700)
  }
})

test('large bodies leave room for those that come after them', async () => {
  const server = await serveProcess(await dataDirectory({ programs: [ANSWER_HAM] }))
  const port = Number(new URL(server.url).port)
  for (let count = 0; count < 10; count++) {
    const status = await send(port, 'execute-batch', 31, `Content-Length: ${31 * MB}\r\n`, 30_000)
    expect(status).toBe('400')
  }
})
