// Requests as bytes over sockets that stay open, with as little work as possible for each: what asks must not slow down what answers.
import { connect } from 'node:net'
import { APP, INPUT } from './servers.mjs'

/** The bytes of one execution. */
export function requestTo(port) {
  const body = JSON.stringify({ input: INPUT })
  return Buffer.from(
    `POST /loop-apps/${APP}/execute HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

/** Opens connections. Each has one request at a time; `answered` is called with the bytes of the answer while they last. */
export function openConnections(port, count, { answered, failed }) {
  return Promise.all(Array.from({ length: count }, () => openConnection(port, answered, failed)))
}

function openConnection(port, answered, failed) {
  return new Promise((resolve, reject) => {
    let parts
    const buffer = Buffer.alloc(16 * 1024)
    const take = length => {
      const chunk = buffer.subarray(0, length)
      const answer = parts ? Buffer.concat([parts, chunk]) : chunk
      if (!isWhole(answer)) {
        parts = Buffer.from(answer)
        return true
      }
      parts = undefined
      answered(connection, answer)
      return true
    }
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer, callback: take },
    })
    const connection = { dueAt: 0, send: bytes => socket.write(bytes), close: () => socket.destroy() }
    socket.on('connect', () => resolve(connection))
    socket.on('error', error => {
      reject(error)
      failed(connection, error)
    })
    socket.on('close', () => failed(connection, new Error('closed')))
  })
}

const LENGTH = Buffer.from('Content-Length: ')

function isWhole(answer) {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const at = answer.indexOf(LENGTH) + LENGTH.length
  return answer.length >= end + 4 + Number.parseInt(answer.latin1Slice(at, at + 8), 10)
}

/** Whether the status is 200. */
export function isOk(answer) {
  return answer[9] === 50 && answer[10] === 48 && answer[11] === 48
}
