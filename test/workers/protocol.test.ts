import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createFrameReader,
  type FrameReader,
  isDeeper,
  MAX_DEPTH,
  printable,
} from '../../src/workers/protocol.ts'

const NONCE = 'the nonce'

describe('the frame reader', () => {
  test('reads an answer in any chunks', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.array(fc.nat(400)), (out, cuts) => {
        const line = frame({ n: NONCE, ok: true, out })
        expect(read(line, cuts)).toEqual({ ok: true, out: JSON.parse(JSON.stringify(out)) })
      }),
    )
  })

  test('never crashes, and accepts nothing without the nonce', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map(bytes => Buffer.from(bytes)),
      fc.jsonValue().map(value => frame(value)),
      fc.record({ n: fc.string(), ok: fc.boolean(), out: fc.jsonValue() }).map(frame),
      fc.constantFrom('\n', '{"n":"the nonc', '"ok":true', '[[[[', '\u0000').map(text => Buffer.from(text)),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.option(fc.integer({ min: 1, max: 5 })),
        (pieces, most) => {
          const reader = createFrameReader(1000)
          reader.expect(NONCE, most ?? undefined)
          for (const chunk of pieces) {
            const result = push(reader, chunk)
            if (typeof result === 'string') return
            expect(result).toBeUndefined()
          }
        },
      ),
    )
  })

  test.each<[string, Buffer | string, unknown]>([
    [
      'two frames at once',
      '{"n":"the nonce","ok":true,"out":1}\n{"n":"the nonce","ok":true,"out":2}\n',
      'extra-bytes',
    ],
    ['bytes after the frame', '{"n":"the nonce","ok":true,"out":1}\n ', 'extra-bytes'],
    ['another nonce', '{"n":"another","ok":true,"out":1}\n', 'bad-nonce'],
    ['no nonce', '{"ok":true,"out":1}\n', 'bad-nonce'],
    ['no object', '[1]\n', 'bad-nonce'],
    ['no JSON', '{"n":"the nonce"\n', 'not-json'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a]), 'not-utf8'],
    ['deep brackets', `{"n":"the nonce","ok":true,"out":${'['.repeat(66)}${']'.repeat(66)}}\n`, 'too-deep'],
    ['no output', '{"n":"the nonce","ok":true}\n', 'bad-frame'],
    ['an unknown kind', '{"n":"the nonce","ok":false,"kind":"timeout","message":""}\n', 'bad-frame'],
    ['no message', '{"n":"the nonce","ok":false,"kind":"error"}\n', 'bad-frame'],
    ['"ok" that is neither', '{"n":"the nonce","ok":1,"out":1}\n', 'bad-frame'],
    ['a chunk nobody asked for', '{"n":"the nonce","ok":true,"outs":[1],"bad":[]}\n', 'bad-frame'],
  ])('refuses %s', (_, bytes, violation) => {
    const reader = createFrameReader(1000)
    reader.expect(NONCE)
    expect(push(reader, Buffer.from(bytes))).toBe(violation)
  })

  test.each([
    ['no outputs', [], []],
    ['more outputs than inputs', [1, 2, 3], []],
    ['a failure without a place', [1], [['error', 'x']]],
    ['a failure of an input that was not reached', [1], [[1, 'error', 'x']]],
    ['a failure at a negative place', [1], [[-1, 'error', 'x']]],
    ['a failure at "__proto__"', [1], [['__proto__', 'error', 'x']]],
    ['a failure of an unknown kind', [1], [[0, 'start-failed', 'x']]],
    ['failures that are no list', [1], {}],
  ])('refuses a chunk with %s', (_, outs, bad) => {
    expect(read(frame({ n: NONCE, ok: true, outs, bad }), [], 2)).toBe('bad-frame')
  })

  test('reads a chunk', () => {
    const line = frame({ n: NONCE, ok: true, outs: [1, null], bad: [[1, 'error', 'no\u001b[31m']] })
    expect(read(line, [], 2)).toEqual({ ok: true, outs: [1, null], bad: [[1, 'error', 'no [31m']] })
  })

  test('takes no byte before it is asked and after it has an answer', () => {
    const reader = createFrameReader(1000)
    expect(push(reader, Buffer.from('\n'))).toBe('unsolicited-frame')
    const other = createFrameReader(1000)
    other.expect(NONCE)
    expect(push(other, frame({ n: NONCE, ok: true, out: 1 }))).toEqual({ ok: true, out: 1 })
    expect(push(other, frame({ n: NONCE, ok: true, out: 1 }))).toBe('unsolicited-frame')
  })

  test('reads two answers that arrive together, in their order', () => {
    const both = Buffer.concat([
      frame({ n: 'a', ok: true, out: 1 }),
      frame({ n: 'b', ok: true, outs: [2], bad: [] }),
    ])
    for (let cut = 0; cut <= both.length; cut++) {
      const reader = createFrameReader(1000)
      reader.expect('a')
      reader.expect('b', 1)
      const taken: unknown[] = []
      for (const part of [both.subarray(0, cut), both.subarray(cut)])
        expect(reader.push(part, value => taken.push(value))).toBeUndefined()
      expect(taken).toEqual([
        { ok: true, out: 1 },
        { ok: true, outs: [2], bad: [] },
      ])
    }
    const swapped = createFrameReader(1000)
    swapped.expect('b')
    swapped.expect('a')
    expect(push(swapped, both)).toBe('bad-nonce')
  })

  test('counts bytes before it keeps them', () => {
    const reader = createFrameReader(1000)
    reader.expect(NONCE)
    expect(push(reader, Buffer.alloc(17_000, 32))).toBeUndefined()
    expect(push(reader, Buffer.alloc(1000, 32))).toBe('output-limit')
  })

  test('an output sets no prototype', () => {
    const line = Buffer.from('{"n":"the nonce","ok":true,"out":{"__proto__":{"admin":true},"a":1,"a":2}}\n')
    const result = read(line, []) as { out: { admin?: boolean } }
    expect(result.out.admin).toBeUndefined()
    expect(Object.keys(result.out)).toEqual(['__proto__', 'a'])
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('takes as long as the bytes are many, whatever they are', () => {
    for (const text of [
      '"\\'.repeat(500_000),
      '\\"'.repeat(500_000),
      '[]'.repeat(500_000),
      '"'.repeat(1_000_000),
    ]) {
      const since = performance.now()
      const reader = createFrameReader(1_000_000)
      reader.expect(NONCE)
      push(reader, Buffer.from(`${text}\n`))
      expect(performance.now() - since).toBeLessThan(500)
    }
  })
})

describe('what a writer has left behind that ended', () => {
  const MARK = 'the mark'

  /** What is taken of the bytes before the mark, and of one answer behind it. */
  function readBehind(left: Buffer, before: string[], cuts: number[] = []) {
    const reader = createFrameReader(1000)
    for (const nonce of before) reader.expect(nonce, 2)
    const taken: unknown[] = []
    let isDone = false
    reader.skipTo(MARK, () => {
      isDone = true
      reader.expect(NONCE)
    })
    const bytes = Buffer.concat([
      left,
      Buffer.from(`\n${MARK}\n`),
      frame({ n: NONCE, ok: true, out: 'next' }),
    ])
    const places = [...new Set(cuts.map(cut => cut % bytes.length))].sort((a, b) => a - b)
    for (const [index, from] of [0, ...places].entries()) {
      const violation = reader.push(bytes.subarray(from, places[index] ?? bytes.length), value =>
        taken.push(value),
      )
      if (violation) return violation
    }
    expect(isDone).toBe(true)
    return taken
  }

  const NEXT = { ok: true, out: 'next' }
  const answer = (n: string) => frame({ n, ok: true, outs: [n], bad: [] })
  const ANSWER_A = { ok: true, outs: ['a'], bad: [] }

  test('is in nobody’s way, whatever it is', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map(bytes => Buffer.from(bytes)),
      fc.jsonValue().map(value => frame(value)),
      fc
        .constantFrom('\n', MARK, `${MARK} \n`, '{"n":"the nonc', '{"n":"a"', '[[[[')
        .map(text => Buffer.from(text)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(600)), (pieces, cuts) => {
        const left = Buffer.concat(pieces)
        // Nobody can know the mark before it is written.
        fc.pre(!`\n${left.toString('latin1')}\n`.includes(`\n${MARK}\n`))
        expect(readBehind(left, ['a', 'b'], cuts)).toEqual([NEXT])
      }),
    )
  })

  test.each<[string, Buffer[], unknown[]]>([
    ['nothing', [], [NEXT]],
    ['a whole answer', [answer('a')], [ANSWER_A, NEXT]],
    ['an answer, and a part of the next', [answer('a'), answer('b').subarray(0, 9)], [ANSWER_A, NEXT]],
    ['an answer to what was not asked', [answer('c')], [NEXT]],
    ['answers in another order', [answer('b'), answer('a')], [NEXT]],
    ['an answer behind something else', [Buffer.from('\n'), answer('a')], [NEXT]],
    ['one answer twice', [answer('a'), answer('a')], [ANSWER_A, NEXT]],
    ['an answer to what is asked later', [answer(NONCE)], [NEXT]],
  ])('counts as far as it is in order: %s', (_, left, taken) => {
    for (let cut = 1; cut < 60; cut++)
      expect(readBehind(Buffer.concat(left), ['a', 'b'], [cut])).toEqual(taken)
  })

  test('is not kept without end', () => {
    expect(readBehind(Buffer.alloc(20_000, 32), ['a'])).toBe('output-limit')
  })
})

test('depth is counted outside strings', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(8), (value, limit) => {
      expect(isDeeper(Buffer.from(JSON.stringify(value)), limit)).toBe(depthOf(value) > limit)
    }),
  )
  expect(isDeeper(Buffer.from('['.repeat(MAX_DEPTH)), MAX_DEPTH)).toBe(false)
})

test('a message has no control characters', () => {
  expect(printable('\u001b]0;title\u0007 ok\r\n\ttab \u009b31m')).toBe(' ]0;title  ok \n\ttab  31m')
})

function frame(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

/** The violation, or what was taken; nothing, when more bytes are needed. */
function push(reader: FrameReader, bytes: Buffer): unknown {
  const taken: unknown[] = []
  return reader.push(bytes, frame => taken.push(frame)) ?? (taken.length > 1 ? taken : taken[0])
}

function read(line: Buffer, cuts: number[], most?: number) {
  const reader = createFrameReader(1_000_000)
  reader.expect(NONCE, most)
  const places = [...new Set(cuts.map(cut => cut % line.length))].sort((a, b) => a - b)
  let result: unknown
  for (const [index, from] of [0, ...places].entries()) {
    const part = line.subarray(from, places[index] ?? line.length)
    if (part.length > 0) result = push(reader, part)
  }
  return result
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
