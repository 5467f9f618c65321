/** One line of a stream, without its line ending. `bytes` is absent when the line was longer than allowed. */
export interface Line {
  number: number
  bytes: Buffer | undefined
}

const LF = 10
const CR = 13
const EMPTY = Buffer.alloc(0)
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** The lines of a stream, one by one. */
export async function* readLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Line> {
  for await (const lines of readLineBatches(chunks, maxBytes)) yield* lines
}

/**
 * Cuts a stream of bytes into lines in constant memory, and gives those that one chunk completes together: many of a fast stream, one of a
 * slow one. A line over `maxBytes` is skipped as it comes and reported without content.
 */
export async function* readLineBatches(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Line[]> {
  let parts: Buffer[] = []
  let size = 0
  let number = 0
  const take = (): Line => {
    number++
    const [first = EMPTY] = parts
    const bytes = size > maxBytes ? undefined : trim(parts.length < 2 ? first : Buffer.concat(parts), number)
    parts = []
    size = 0
    return { number, bytes }
  }
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      if (size + end - start <= maxBytes) parts.push(chunk.subarray(start, end))
      size += end - start
      lines.push(take())
      start = end + 1
    }
    size += chunk.length - start
    if (size <= maxBytes) parts.push(chunk.subarray(start))
    else parts = []
    if (lines.length > 0) yield lines
  }
  if (size > 0) yield [take()]
}

function trim(line: Buffer, number: number): Buffer {
  const start = number === 1 && line.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  const end = line.at(-1) === CR ? line.length - 1 : line.length
  return line.subarray(start, end)
}
