import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Draft } from '../domain/draft.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { LoopApp } from './apps.ts'
import { explainWriteError } from './atomic.ts'
import { readPlainText } from './plain.ts'
import { explainReadError } from './text.ts'
import { readFiles } from './versions.ts'

const MAX_BYTES = 64 * 1024 * 1024

/** Puts files into the app's `draft/` for a person to work on. What is there already is never overwritten. Says whether anything changed. */
export async function writeDraft(app: LoopApp, files: Draft['files']): Promise<boolean> {
  const places = files.map(file => ({ ...file, place: path.join(app.paths.draft, ...file.path.split('/')) }))
  const found = places.map(({ place }) => findText(place))
  places.forEach(({ place, content }, i) => {
    if (found[i] === undefined || found[i] === content) return
    throw new LoopaiError('CONFLICT', `${place} is there already, and is not overwritten`, {
      hint: `register it with: loopai add ${app.id}   or move it away`,
    })
  })
  const missing = places.filter((_, i) => found[i] === undefined)
  try {
    for (const { place, content } of missing) {
      await mkdir(path.dirname(place), { recursive: true })
      await writeFile(place, content, { flag: 'wx' })
    }
  } catch (error) {
    throw explainWriteError(error, app.paths.draft)
  }
  return missing.length > 0
}

function findText(place: string): string | undefined {
  try {
    return readPlainText(place, MAX_BYTES)
  } catch {
    return undefined
  }
}

/** The files that a person has written: of a folder, or a single one. Links and devices are refused. */
export async function readDraft(place: string): Promise<Draft['files']> {
  const status = await stat(place).catch(error => {
    throw explainReadError(error, place)
  })
  if (status.isFile()) return [{ path: path.basename(place), content: await readFile(place) }]
  const files = (await readFiles(place)).filter(file => !isLeftover(file.path))
  return Promise.all(
    files.map(async file => ({
      path: file.path,
      content: await readFile(path.join(place, ...file.path.split('/'))),
    })),
  )
}

/** What interpreters and editors leave behind, and what every version gets anew. */
function isLeftover(name: string): boolean {
  return (
    /(^|\/)(__pycache__|\.git|\.DS_Store|\.venv)(\/|$)|\.pyc$|~$|\.swp$/.test(name) ||
    name === 'manifest.json'
  )
}
