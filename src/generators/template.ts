import { readFileSync } from 'node:fs'
import type { Generator } from '../domain/draft.ts'
import { isObject, type JsonObject } from '../domain/json.ts'
import { packageFile } from '../package.ts'

/** A skeleton for a person to fill: what the program gets, what it has to return, and nothing else. */
const template: Generator = {
  async generate({ app }, signal) {
    signal.throwIfAborted()
    const text = readFileSync(packageFile('templates', 'programs', 'skeleton.py'), 'utf8')
    const values: Record<string, string> = {
      NAME: docstringText(app.name),
      TASK: docstringText(app.task),
      INPUT: docstringText(JSON.stringify(app.input_schema, null, 2)),
      OUTPUT: docstringText(JSON.stringify(app.output_schema, null, 2)),
      RETURNS: docstringText(describeOutput(app.output_schema)),
    }
    return {
      runtime: 'python',
      entry: 'program.py',
      files: [
        { path: 'program.py', content: text.replace(/@@([A-Z]+)@@/g, (_, name: string) => values[name]!) },
      ],
      notes: ['program.py is a skeleton: write the body of execute before you promote it.'],
      parity: [],
    }
  },
}

export default template

function describeOutput(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map(pythonLiteral).join(', ')}`
  if (schema.type === 'boolean') return 'True or False'
  return isObject(schema.properties)
    ? `a dict with ${Object.keys(schema.properties).join(', ')}`
    : `${schema.type ?? 'JSON'}`
}

function pythonLiteral(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return JSON.stringify(value)
}

/** Text that cannot end a docstring, and has no character that hides something or turns its direction. */
function docstringText(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/"""/g, '\\"\\"\\"')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, character =>
      character === '\n' ? character : pythonEscape(character),
    )
}

function pythonEscape(character: string): string {
  return `\\U${character.codePointAt(0)!.toString(16).padStart(8, '0')}`
}
