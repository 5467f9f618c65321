import { readdir } from 'node:fs/promises'
import { LoopaiError } from '../domain/errors.ts'
import { closest } from '../domain/problems.ts'
import { packageFile } from '../package.ts'

/** A shipped app: `spec.yaml`, and perhaps `examples.jsonl` and `cases.jsonl`. */
export interface Template {
  name: string
  spec: string
  examples: string
  cases: string
}

export async function listTemplates(): Promise<string[]> {
  const entries = await readdir(packageFile('templates', 'apps'), { withFileTypes: true })
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
}

export async function readTemplate(name: string): Promise<Template> {
  const names = await listTemplates()
  if (names.includes(name)) {
    const file = (base: string) => packageFile('templates', 'apps', name, base)
    return { name, spec: file('spec.yaml'), examples: file('examples.jsonl'), cases: file('cases.jsonl') }
  }
  const like = closest(name, names)
  throw new LoopaiError('TEMPLATE_NOT_FOUND', `there is no template ${name}`, {
    hint: `${like ? `did you mean ${like}? ` : ''}templates: ${names.join(', ')}`,
  })
}

/** The template whose name begins an id, e.g. `spam-detector` for `spam-detector-001`. */
export async function findTemplateFor(id: string): Promise<Template | undefined> {
  const name = (await listTemplates()).find(candidate => id === candidate || id.startsWith(`${candidate}-`))
  return name ? readTemplate(name) : undefined
}
