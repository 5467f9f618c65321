import { readFileSync } from 'node:fs'
import type { Brief } from '../../domain/draft.ts'
import type { Json } from '../../domain/json.ts'
import { packageFile } from '../../package.ts'
import { CASED_RANGES, pythonPattern, SEPARATOR } from './characters.ts'
import type { Model } from './model.ts'
import { SHAPES } from './shapes.ts'
import { LONGEST_GRAM, LONGEST_TEXT, SHORTEST_GRAM, TOKEN } from './tokens.ts'

const FEATURES_SHOWN = 8
const LONGEST_COMMENT = 300
const UNSHOWN = new RegExp(`[${SEPARATOR}\\p{Surrogate}]`, 'gu')

/** The code of the program. What comes from examples or the specification is only ever in comments, one line each. */
export function emitProgram(app: Pick<Brief['app'], 'name' | 'task'>, model: Model): string {
  const template = readFileSync(packageFile('templates', 'programs', 'learned-text.py'), 'utf8')
  const values: Record<string, string> = {
    NAME: comment(app.name),
    TASK: comment(app.task),
    STRONGEST: model.labels.map((label, at) => `# ${describeLabel(model, label, at)}`).join('\n'),
    TOKEN: pythonPattern(TOKEN),
    LINK: SHAPES.link,
    MAIL: SHAPES.mail,
    IBAN: SHAPES.iban,
    NUMBER: SHAPES.number,
    CASED: CASED_RANGES.map(([first, last]) => `range(${hex(first)}, ${hex(last + 1)})`).join(', '),
    LONGEST_TEXT: `${LONGEST_TEXT}`,
    SHORTEST_GRAM: `${SHORTEST_GRAM}`,
    LONGEST_GRAM: `${LONGEST_GRAM}`,
  }
  return template.replace(/@@([A-Z_]+)@@/g, (_, name: string) => values[name]!)
}

/** `"spam": "free", "text to", …`: what speaks most for a label, in all the rows together. */
function describeLabel(model: Model, label: Json, at: number): string {
  const lanes = model.biases.length
  const sign = lanes === 1 && at === 0 ? -1 : 1
  const lane = lanes === 1 ? 0 : at
  const names = model.words.length > 0 ? model.words : model.chars
  const weightOf = (feature: number) => sign * model.weights[feature * lanes + lane]!
  const strongest = names
    .map((name, feature) => ({ name, strength: weightOf(feature) * Math.sqrt(model.documents[feature]!) }))
    .filter(({ strength }) => strength > 0)
    .sort((a, b) => b.strength - a.strength)
    .slice(0, FEATURES_SHOWN)
    .map(({ name }) => quote(name))
  return comment(`${quote(label)}: ${strongest.join(', ') || '(nothing in particular)'}`)
}

function quote(value: Json): string {
  return JSON.stringify(value)
}

/** One line without a character that could end it, hide something or turn its direction. */
function comment(text: string): string {
  const line = text.replace(UNSHOWN, character =>
    character === ' ' ? ' ' : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )
  const points = [...line]
  return points.length > LONGEST_COMMENT ? `${points.slice(0, LONGEST_COMMENT).join('')}…` : line
}

function hex(code: number): string {
  return `0x${code.toString(16)}`
}
