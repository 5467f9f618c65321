import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Brief, Draft } from '../../src/domain/draft.ts'
import type { Example } from '../../src/domain/example.ts'
import type { Json, JsonObject } from '../../src/domain/json.ts'
import { packageFile } from '../../src/package.ts'
import { bundle } from '../helpers/bundle.ts'

/** A brief for tests: `examples` with the labels of an enum. */
export function briefOf(
  examples: Example[],
  { input, output, ...rest }: Partial<Brief> & Schemas = {},
): Brief {
  const labels = [...new Set(examples.map(example => example.output))]
  return {
    app: {
      id: 'test-001',
      name: 'Test',
      task: 'Tell the labels apart',
      input_schema: input ?? { type: 'object', properties: { text: { type: 'string' } } },
      output_schema: output ?? { enum: labels },
    },
    examples,
    seed: 1,
    privacy: 'full',
    ...rest,
  }
}

/** Bundles the learner's threads, unless `node build.mjs` has. */
export async function bundleThreads(): Promise<void> {
  const file = packageFile('dist', 'train-worker.js')
  if (!existsSync(file)) await bundle(packageFile('src', 'generators', 'learn', 'train-worker.ts'), file)
}

interface Schemas {
  input?: JsonObject
  output?: JsonObject
}

/** Rows of two topics that are easy to tell apart, all different. */
export function topicRows(count: number, labels: [Json, Json] = ['fruit', 'tool']): Example[] {
  const words = [
    ['apple', 'pear', 'plum', 'cherry', 'grape', 'melon', 'peach'],
    ['hammer', 'saw', 'drill', 'wrench', 'chisel', 'plane', 'file'],
  ]
  const places = [
    'kitchen',
    'garden',
    'street',
    'market',
    'office',
    'train',
    'boat',
    'yard',
    'roof',
    'cellar',
    'shed',
  ]
  return Array.from({ length: count }, (_, i) => {
    const topic = words[i % 2]!
    const text = `the ${topic[i % 7]} and a ${topic[(i * 3) % 7]} from the ${places[i % 11]} ${places[(i * 5) % 11]}`
    return { input: { text }, output: labels[i % 2]! }
  })
}

/** Runs an emitted program on all inputs with a Python and returns what `execute` returns, or another expression of `value`. */
export function runProgram(
  draft: Draft,
  inputs: Json[],
  { python = 'python3', expression = 'program.execute(value)' } = {},
): ReturnType<typeof JSON.parse> {
  const folder = mkdtempSync(path.join(tmpdir(), 'loopai-learn-'))
  mkdirSync(path.join(folder, 'v1'))
  for (const { path: name, content } of draft.files) writeFileSync(path.join(folder, 'v1', name), content)
  const code = [
    'import json, sys',
    `sys.path.insert(0, ${JSON.stringify(path.join(folder, 'v1'))})`,
    'import program',
    `print(json.dumps([${expression} for value in json.load(sys.stdin)]))`,
  ].join('\n')
  const options = { input: JSON.stringify(inputs), encoding: 'utf8' as const, maxBuffer: 1 << 28 }
  try {
    return JSON.parse(execFileSync(python, ['-X', 'utf8', '-B', '-c', code], options))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Pythons of this machine; the oldest and the newest have different Unicode tables. */
export const PYTHONS = [
  'python3',
  'python3.9',
  'python3.13',
  ...(process.env.LOOPAI_TEST_PYTHONS?.split(':') ?? []),
].filter(canRun)

function canRun(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export interface Answer {
  result: Json
  confidence: number
}

export const resultOf = (answer: Answer) => answer.result

/** Rows of a development set, which is not part of the repository. */
export function developmentSet(
  name: string,
): { train: Example[]; test: Example[]; schemas: { input: JsonObject; output: JsonObject } } | undefined {
  const folder = path.join(packageFile(), '../shared/data', name)
  if (!existsSync(folder)) return undefined
  const read = (file: string) => readFileSync(path.join(folder, file), 'utf8')
  const rows = (file: string) =>
    read(file)
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  const { inputSchema, outputSchema } = JSON.parse(read('task.json'))
  return {
    train: rows('train.jsonl'),
    test: rows('test.jsonl'),
    schemas: { input: inputSchema, output: outputSchema },
  }
}

export const never = new AbortController().signal

export function contentOf(draft: Draft, name: string): string {
  return String(draft.files.find(file => file.path === name)!.content)
}
