import { completeConfig, configProblems, DERIVED_KEYS, type Settings } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { isObject, type Json } from '../domain/json.ts'
import { MAX_CONFIG_BYTES } from './root.ts'
import { readText } from './text.ts'
import { configError, parseYaml } from './yaml.ts'

/** A specification file as `create --from` takes it: the keys of config.yaml, and perhaps examples. */
export interface SpecificationFile {
  id: string | undefined
  /** The text from which config.yaml is made, comments and all, without `examples` and derived keys. */
  text: string
  examples: Example[]
  /** Keys that were read and ignored. */
  ignored: string[]
  /** `file:line:column` of a value, by its JSON pointer. */
  place: (pointer: string) => string
}

/**
 * Reads the specifications of a file: one, several YAML documents, or several blocks that each begin with `loop_app_id:`, as in the
 * concept document.
 */
export async function readSpecifications(file: string): Promise<SpecificationFile[]> {
  const text = (await readText(file, MAX_CONFIG_BYTES)).replaceAll('\r\n', '\n')
  const blocks = splitBlocks(text)
  if (blocks.length > 0) return blocks.map(block => parseSpecification(block.text, file, block.line))
  throw new LoopaiError('INVALID_CONFIG', `${file} is empty`, { hint: NEEDS })
}

const NEEDS = 'a specification has at least: task, input_schema, output_schema'

function parseSpecification(text: string, file: string, line: number): SpecificationFile {
  const padded = '\n'.repeat(line) + text
  const document = parseYaml(padded, file)[0]
  if (!document || !isObject(document.value)) {
    throw new LoopaiError('INVALID_CONFIG', `${file} is not a specification: it has no keys`, {
      hint: NEEDS,
    })
  }
  const { examples = [], ...rest } = document.value
  const candidate = { loop_app_id: 'some-app-001', ...rest }
  const problems = configProblems(candidate)
  if (problems.length > 0) throw configError(file, document, problems)
  return {
    id: typeof rest.loop_app_id === 'string' ? rest.loop_app_id : undefined,
    text: withoutKeys(text, ['loop_app_id', 'examples', ...DERIVED_KEYS]),
    examples: readExampleList(examples as Json, file),
    ignored: DERIVED_KEYS.filter(key => key in rest),
    place: pointer => `${file}:${document.position(pointer)}`,
  }
}

/** Checks the text of a config.yaml that is about to be written. */
export function checkConfigText(text: string, name: string, root: Partial<Settings>) {
  const document = parseYaml(text, name)[0]!
  const problems = configProblems(document.value)
  if (problems.length > 0) throw configError(name, document, problems)
  return completeConfig(document.value, root)
}

function readExampleList(examples: Json, file: string): Example[] {
  const isList =
    Array.isArray(examples) && examples.every(row => isObject(row) && 'input' in row && 'output' in row)
  if (isList) return (examples as unknown as Example[]).map(({ input, output }) => ({ input, output }))
  throw new LoopaiError('INVALID_CONFIG', `${file}: examples must be a list of {input, output}`, {
    hint: 'or leave them out and bring a file of rows with --examples',
  })
}

/** Cuts a text at `---` and at every further top-level `loop_app_id:`, together with the comments above it. */
function splitBlocks(text: string): { text: string; line: number }[] {
  const lines = text.split('\n')
  const starts = [0]
  let hasId = false
  lines.forEach((line, index) => {
    if (/^---(\s|$)/.test(line)) {
      starts.push(index + 1)
      hasId = false
    } else if (line.startsWith('loop_app_id:')) {
      if (hasId) starts.push(commentsAbove(lines, index))
      hasId = true
    }
  })
  return starts
    .map((start, i) => ({
      text: lines
        .slice(start, starts[i + 1])
        .filter(line => !/^---(\s|$)/.test(line))
        .join('\n'),
      line: start,
    }))
    .filter(block => block.text.replace(/^\s*#.*$/gm, '').trim() !== '')
}

function commentsAbove(lines: string[], index: number): number {
  let start = index
  while (start > 0 && lines[start - 1]!.startsWith('#')) start--
  return start
}

/** The text with other values for some top-level keys, each in its place. */
export async function withValues(text: string, values: Record<string, Json | undefined>): Promise<string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined)
  if (given.length === 0) return text
  const { dump } = await import('js-yaml')
  return replaceKeys(
    text,
    new Map(given.map(([key, value]) => [key, dump({ [key]: value }, { lineWidth: 110 })])),
  )
}

function withoutKeys(text: string, keys: string[]): string {
  return replaceKeys(text, new Map(keys.map(key => [key, ''])))
}

/** Replaces top-level keys with everything that belongs to them; the rest keeps its form and its comments. */
function replaceKeys(text: string, blocks: Map<string, string>): string {
  const missing = new Map(blocks)
  let isDropped = false
  const kept = text.split('\n').flatMap(line => {
    const key = /^["']?([A-Za-z_][\w-]*)["']?\s*:/.exec(line)?.[1]
    const block = key === undefined ? undefined : blocks.get(key)
    if (key !== undefined) {
      isDropped = block !== undefined
      missing.delete(key)
    } else if (line.startsWith('#')) isDropped = false
    if (!isDropped) return [line]
    return block ? block.trimEnd().split('\n') : []
  })
  return `${[...kept, ...missing.values()].join('\n').trim()}\n`
}
