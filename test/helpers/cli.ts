import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { runGit, temporaryFolder, USER_ENV } from './repository.ts'

export const BIN = path.resolve(import.meta.dirname, '../../bin/loopai.js')

export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string | Buffer
  /** Variables beside those of a user who has a git identity and nothing else; `undefined` takes one away. */
  env?: Record<string, string | undefined>
}

/** The whole environment of a command. */
export function environment(env: RunOptions['env']): NodeJS.ProcessEnv {
  return { ...USER_ENV, ...env }
}

/** Runs the real command line in a folder. */
export function loopai(folder: string, args: string[], { input, env }: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: folder,
      env: environment(env),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    const [stdout, stderr]: Buffer[][] = [[], []]
    child.stdout!.on('data', chunk => stdout!.push(chunk))
    child.stderr!.on('data', chunk => stderr!.push(chunk))
    // A command that refuses early does not read on.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    child.on('error', reject)
    child.on('close', status =>
      resolve({
        status,
        stdout: Buffer.concat(stdout!).toString(),
        stderr: Buffer.concat(stderr!).toString(),
      }),
    )
  })
}

/** The same, where anything but success is a failure of the test. Returns what it printed. */
export async function succeed(folder: string, args: string[], options?: RunOptions): Promise<string> {
  const { status, stdout, stderr } = await loopai(folder, args, options)
  if (status !== 0) throw new Error(`loopai ${args.join(' ')} ended with ${status}\n${stderr}`)
  return stdout
}

/** A folder that is prepared once for all tests of a file. The function gives a test a copy of its own. */
export function prepared(prepare: (folder: string) => Promise<unknown>): () => Promise<string> {
  const master = mkdtempSync(path.join(os.tmpdir(), 'loopai test '))
  let ready: Promise<unknown> | undefined
  afterAll(() => rmSync(master, { recursive: true, force: true }))
  return async () => {
    ready ??= prepare(master)
    await ready
    const folder = temporaryFolder()
    cpSync(master, folder, { recursive: true, verbatimSymlinks: true })
    return folder
  }
}

/** Writes files below a folder. */
export function writeFiles(folder: string, files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
export type Parsed = any

/** Objects of a text in JSON Lines. */
export function parseLines(text: string): Parsed[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

export function readLines(file: string): Parsed[] {
  return parseLines(readFileSync(file, 'utf8'))
}

/** What somebody who looks for traces of an unsuccessful command looks at: the commit, and all that git does not know or ignores. */
export function traces(data: string): { head: string; dirt: string } {
  return {
    head: runGit(data, 'rev-parse', 'HEAD'),
    dirt: runGit(data, 'status', '--porcelain', '--ignored', '--untracked-files=all'),
  }
}
