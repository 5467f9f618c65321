import { readFile } from 'node:fs/promises'
import type { Draft } from '../domain/draft.ts'
import type { Json } from '../domain/json.ts'
import type { Limits } from '../domain/launch.ts'
import { packageFile } from '../package.ts'
import type { LoopApp } from '../store/apps.ts'
import { stageVersion } from '../store/versions.ts'
import { openProgram, type ProgramOptions } from './open-program.ts'

const ENTRY = 'loopai_printed.py'

/** What a Python draft prints for each input, with the tracebacks of its exceptions; empty where it was ended instead. Bounded. */
export async function readPrinted(
  app: LoopApp,
  draft: Pick<Draft, 'files' | 'packages'>,
  { inputs, limits, ...options }: ProgramOptions & { inputs: Json[]; limits: Limits },
): Promise<string[]> {
  const harness = await readFile(packageFile('templates', 'harness', 'printed.py'))
  const files = draft.files.filter(file => file.path !== ENTRY)
  const staged = await stageVersion(app, [...files, { path: ENTRY, content: harness }])
  try {
    const { directory } = staged
    const place = {
      loopAppId: app.id,
      version: 'draft' as const,
      directory,
      runtime: 'python' as const,
      entry: ENTRY,
      ...(draft.packages && { packages: draft.packages }),
    }
    const program = await openProgram(
      place,
      { input_schema: {}, output_schema: { type: 'string' }, limits },
      options,
    )
    try {
      if (program.failure) return inputs.map(() => '')
      const outcomes = await program.answerMany(inputs)
      return outcomes.map(outcome => (outcome.status === 'success' ? `${outcome.output}` : ''))
    } finally {
      await program.close()
    }
  } finally {
    await staged.remove()
  }
}
