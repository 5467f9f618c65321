import type { Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import { stripTypes } from '../runtimes/strip-types.ts'

const ENTRIES = ['program.py', 'program.js', 'program.mjs', 'program.ts']
const RUNTIMES: Record<string, Draft['runtime']> = { py: 'python', js: 'node', mjs: 'node', ts: 'node' }

/** What a person has written, as a version keeps it: with its entry point, its runtime, and TypeScript without its types. */
export async function programOf(
  files: Draft['files'],
  wanted: string | undefined,
): Promise<Pick<Draft, 'files' | 'runtime' | 'entry'>> {
  const entry = entryOf(
    files.map(file => file.path),
    wanted,
  )
  return {
    files: await Promise.all(files.filter(file => !file.path.endsWith('.d.ts')).map(withoutTypes)),
    runtime: RUNTIMES[extensionOf(entry)]!,
    entry: scriptOf(entry),
  }
}

function entryOf(names: string[], wanted: string | undefined): string {
  const programs = names.filter(name => Object.hasOwn(RUNTIMES, extensionOf(name)))
  const found =
    wanted === undefined
      ? (ENTRIES.find(name => names.includes(name)) ?? (programs.length === 1 ? programs[0] : undefined))
      : programs.find(name => name === wanted)
  if (found) return found
  throw new LoopaiError(
    'USAGE',
    `${wanted ?? 'program.py'} is not among the files (${names.slice(0, 5).join(', ') || 'no files'})`,
    { hint: 'name the Python, JavaScript or TypeScript file that defines execute(input_data) with --entry' },
  )
}

async function withoutTypes(file: Draft['files'][number]): Promise<Draft['files'][number]> {
  if (!file.path.endsWith('.ts')) return file
  const source = Buffer.from(file.content).toString()
  try {
    return { path: scriptOf(file.path), content: await stripTypes(source, file.path) }
  } catch (cause) {
    throw new LoopaiError(
      'UNSUPPORTED',
      `${file.path} is no TypeScript that can be read: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
}

function scriptOf(name: string): string {
  return name.replace(/\.ts$/, '.js')
}

function extensionOf(name: string): string {
  return name.split('.').at(-1)!
}
