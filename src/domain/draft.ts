import type { GeneratorSettings, Settings } from './config.ts'
import type { Example } from './example.ts'
import type { Json, JsonObject } from './json.ts'
import type { Lock, PackageSource } from './requirements.ts'

/** What a generator is told. */
export interface Brief {
  app: { id: string; name: string; task: string; input_schema: JsonObject; output_schema: JsonObject }
  examples: Example[]
  seed: number
  /** `full`: words may be kept as they are; otherwise a word needs three distinct inputs before a program may contain it. */
  privacy: 'full' | 'metadata' | 'off'
  /** What programs are compared by; `accuracy` unless the app's targets say otherwise. */
  metric?: 'accuracy' | 'macro_f1' | 'mae' | 'r2'
  strategy?: string
  /** `generator` of config.yaml. */
  settings?: GeneratorSettings
  /** Somebody here has agreed to the command or the server in the settings. */
  isTrusted?: boolean
  /** What may leave this machine. */
  external?: Settings['privacy']['external']
  /** What the writer may still cost. */
  budgetUsd?: number
  /** Questions that the drafts before this one took. */
  calls?: number
  /** Which of several attempts from scratch this one is, from 1. */
  candidate?: { number: number; of: number }
  /** A learned program that the writer may build on. */
  learned?: LearnedPart
  /** What was wrong with the draft before: this one should mend it. */
  feedback?: Feedback
  report?: (progress: Progress) => void
}

/**
 * A program learned from the rows that the writer is shown, to write rules or features around. The rows that judge the whole are as new to it
 * as to the writer.
 */
export interface LearnedPart {
  /** The module, and what it reads. */
  files: Draft['files']
  entry: string
  parity: Draft['parity']
  /** Of the shown rows, each answered by a model that had not seen it. */
  accuracy: number
  /** Those of them that were answered wrong, the surest first. */
  mistakes: { input: Json; expected: Json; got: Json; confidence: number }[]
}

/** What a writer learns of its last draft. Only rows that it was shown are in it. */
export interface Feedback {
  /** How many drafts there were before this one. */
  attempts: number
  files: Draft['files']
  /** Checks that failed, in sentences: syntax errors with their line, exceptions with theirs. */
  problems: string[]
  /** Share of the shown rows that were answered right. */
  accuracy: number | null
  /** Rows that were answered wrong, with what was answered or the exception, and of the first few what was printed. */
  failures: { input: Json; expected: Json; got?: Json; error?: string; printed?: string }[]
  /** What it printed instead of loading. */
  printed?: string
}

/** How far long work is: `done` of `total` units of `stage`. */
export interface Progress {
  stage: string
  done: number
  total: number
}

/** What a generator returns: the files of a version that does not exist yet. */
export interface Draft {
  files: { path: string; content: string | Uint8Array }[]
  runtime: 'python' | 'node'
  entry: string
  /** Sentences for the person who asked: what was chosen, what looks wrong in the data, what more labels would bring. */
  notes: string[]
  /** Rows and the answers that the generator's own implementation gives; the program must give the same. */
  parity: { input: Json; output: Json }[]
  /** A module that the program is written around, and must itself give the answers of the learner that made it. */
  learned?: Pick<LearnedPart, 'entry' | 'parity'>
  /** Answers to rows by a program that had not seen them, in the order of `brief.examples`. */
  outOfFold?: { output: Json; confidence: number }[]
  /** What the generator found out about the data and its program, for the report. */
  report?: LearnedReport
  /** What it imports beside the standard library, once its `requirements.txt` was locked. */
  packages?: DraftPackages
  /** What writing it took, where somebody is paid for it. */
  cost?: Cost
}

/** Everything in it is optional: a generator says what it knows. It is kept with the version. */
export interface LearnedReport {
  /** Accuracy (or r2) on rows that were not seen, by how many were. Ascending. */
  learning_curve?: { rows: number; accuracy: number }[]
  /** What the curve says that so many rows would bring. */
  expected?: { rows: number; accuracy: number }
  /** What speaks most for a label, strongest first. */
  strongest?: { label: Json; features: string[] }[]
  /** Labels that may be wrong, the surest first: `row` is the position in `brief.examples`, from 0. */
  suspects?: { row: number; label: Json; preferred: Json }[]
}

/** Questions to a model whose prices are not known: a budget in money cannot end them. */
export const MOST_UNPRICED_CALLS = 20

export interface Cost {
  model: string
  /** SHA-256 of what the model was told. */
  prompt_sha256: string
  calls: number
  input_tokens: number
  output_tokens: number
  usd: number
}

/** Packages that a draft may import, locked and installed. */
export interface DraftPackages {
  from: PackageSource
  lock: Lock
  /** SHA-256 of the file with the lock. */
  lockSha256: string
  /** Names that can be imported. */
  modules: string[]
}

export interface Generator {
  /** Rejects with `signal.reason` when aborted, and leaves nothing behind. */
  generate(brief: Brief, signal: AbortSignal): Promise<Draft>
}
