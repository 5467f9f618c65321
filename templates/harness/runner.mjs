// Runs one JavaScript program for the host, as its only job: reads one configuration line from descriptor 3, loads the program, and answers
// request after request there. Everything that confines it was done before it started. Standard output and standard error are logs.
import { readSync, statSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'

const CHANNEL = 3
const MAX_DEPTH = 64
const MAX_MESSAGE = 1000
// After so much time a chunk is answered as far as it got, so that its time limit can be that of one input.
const SLICE_MS = 50
const ENDED_BY_ITSELF = 64
const HINT =
  ' [the sandbox has no network, no other processes, and no files but the program’s own, read-only]'

// Bound here, so that a program that patches them harms nothing but its own answers.
const { parse, stringify } = JSON
const now = performance.now.bind(performance)
const { getPrototypeOf, keys } = Object
const { isArray } = Array
const { isSafeInteger, isInteger, isFinite: isReal } = Number

/** What the program returned is nothing that JSON can hold, or more than may be returned. */
class NotAnOutput extends Error {}

const received = { buffer: Buffer.allocUnsafe(1 << 16), size: 0, scanned: 0 }

await main()
process.reallyExit(ENDED_BY_ITSELF)

async function main() {
  const config = parse(readLine() ?? process.reallyExit(0))
  const { n: nonce, program, folder, limits, isConfined } = config
  const maxBytes = limits.output_kb * 1024
  const explain = problem => describe(problem, program, isConfined)
  // What escapes a program, in a callback or a promise, ends it: its next answer could be anything.
  process.on('uncaughtException', problem => {
    console.error(explain(problem)[1])
    process.reallyExit(ENDED_BY_ITSELF)
  })
  // Any other status would say that this file was never reached.
  process.on('exit', () => process.reallyExit(ENDED_BY_ITSELF))
  let execute
  try {
    if (folder !== undefined && identity(dirname(program)) !== folder)
      throw new Error('its folder is not the one that was verified')
    execute = entryOf(await import(pathToFileURL(program).href), basename(program))
  } catch (problem) {
    return send(refusal(nonce, explain(problem)))
  }
  send(`{"n":"${nonce}","ok":true,"out":null}\n`)

  async function attempt(input) {
    try {
      const body = encode(await execute(input))
      return Buffer.byteLength(body) > maxBytes ? { refused: tooLarge(maxBytes) } : { body }
    } catch (problem) {
      return { refused: explain(problem) }
    }
  }

  for (let line = readLine(); line !== undefined; line = readLine()) {
    const request = parse(line)
    if ('ins' in request) send(await answerMany(request, attempt, maxBytes))
    else {
      const { body, refused } = await attempt(request.in)
      send(refused ? refusal(request.n, refused) : `{"n":"${request.n}","ok":true,"out":${body}}\n`)
    }
  }
}

function identity(place) {
  const { dev, ino } = statSync(place, { bigint: true })
  return `${dev}:${ino}`
}

async function answerMany({ n, ins }, attempt, maxBytes) {
  const deadline = now() + SLICE_MS
  const bodies = []
  const bad = []
  let size = 0
  for (const input of ins) {
    const { body = 'null', refused } = await attempt(input)
    const note = refused && stringify([bodies.length, ...refused])
    size += Buffer.byteLength(body) + 1 + (note ? Buffer.byteLength(note) : 0)
    // The host takes as much as one output at its largest may have.
    if (size > maxBytes && bodies.length > 0) break
    bodies.push(body)
    if (note) bad.push(note)
    if (now() > deadline) break
  }
  return `{"n":"${n}","ok":true,"outs":[${bodies.join()}],"bad":[${bad.join()}]}\n`
}

function entryOf(module, name) {
  for (const found of [module.execute, module.main, module.default?.execute, module.default])
    if (typeof found === 'function') return found
  if (typeof module.classify === 'function') return input => module.classify(onlyText(input))
  throw new TypeError(`${name} exports no function execute(input)`)
}

function onlyText(input) {
  const texts =
    typeof input === 'string'
      ? [input]
      : keys(input ?? {})
          .map(key => input[key])
          .filter(text => typeof text === 'string')
  if (texts.length !== 1)
    throw new TypeError('classify(text) needs an input with exactly one string property')
  return texts[0]
}

function encode(value) {
  check(value, 0)
  return stringify(value)
}

/** Plain data only: `toJSON` or a getter could answer differently each time it is asked. */
function check(value, depth) {
  const type = typeof value
  if (type === 'string') {
    if (!value.isWellFormed()) throw new NotAnOutput('cannot return a string with a lone surrogate')
  } else if (type === 'number') {
    if (!isReal(value)) throw new NotAnOutput('cannot return NaN or infinity')
    if (isInteger(value) && !isSafeInteger(value))
      throw new NotAnOutput('cannot return an integer beyond 2**53 - 1')
  } else if (type === 'object' && value !== null) checkObject(value, depth)
  else if (type !== 'boolean' && value !== null)
    throw new NotAnOutput(`cannot return ${type === 'undefined' ? type : `a ${type}`}`)
}

function checkObject(value, depth) {
  if (depth > MAX_DEPTH) throw new NotAnOutput(`cannot return more than ${MAX_DEPTH} nested levels`)
  const isList = isArray(value)
  const prototype = getPrototypeOf(value)
  if (prototype !== null && prototype !== (isList ? Array.prototype : Object.prototype))
    throw new NotAnOutput(`cannot return a ${prototype.constructor?.name ?? 'strange object'}`)
  if (typeof value.toJSON === 'function') throw new NotAnOutput('cannot return an object with toJSON')
  for (const key of isList ? value.keys() : keys(value)) {
    if (!isList && !key.isWellFormed()) throw new NotAnOutput('cannot return a string with a lone surrogate')
    check(value[key], depth + 1)
  }
}

function tooLarge(maxBytes) {
  return ['output-limit', `the output is larger than ${maxBytes >> 10} KiB`]
}

function describe(problem, program, isConfined) {
  if (problem instanceof NotAnOutput) return ['bad-output', problem.message]
  try {
    const name = typeof problem?.name === 'string' ? problem.name : typeof problem
    const text = String(problem?.message ?? problem).slice(0, MAX_MESSAGE)
    const line = new RegExp(`${escapePattern(basename(program))}:(\\d+)`).exec(String(problem?.stack))?.[1]
    const place = line ? ` (${basename(program)}:${line})` : ''
    const isSystem = isConfined && typeof problem?.syscall === 'string'
    return ['error', `${name}: ${text}${place}${isSystem ? HINT : ''}`.toWellFormed()]
  } catch {
    return ['error', 'it threw something that cannot be described']
  }
}

function escapePattern(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function refusal(nonce, [kind, message]) {
  return `{"n":"${nonce}","ok":false,"kind":"${kind}","message":${stringify(message)}}\n`
}

/** Waits for a whole line. Nothing of the program runs meanwhile: between two requests it does not exist. */
function readLine() {
  for (;;) {
    const end = received.buffer.subarray(0, received.size).indexOf(10, received.scanned)
    if (end !== -1) {
      const line = received.buffer.toString('utf8', 0, end)
      received.buffer.copy(received.buffer, 0, end + 1, received.size)
      received.size -= end + 1
      received.scanned = 0
      return line
    }
    received.scanned = received.size
    if (received.size === received.buffer.length)
      received.buffer = Buffer.concat([received.buffer], received.size * 2)
    const count = readSync(CHANNEL, received.buffer, received.size, received.buffer.length - received.size)
    if (count === 0) return
    received.size += count
  }
}

function send(frame) {
  const bytes = Buffer.from(frame)
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(CHANNEL, bytes, sent)
}
