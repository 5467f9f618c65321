import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseId } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Example } from '../domain/example.ts'
import { findIds, inferSchemas } from '../domain/inference.ts'
import { isObject, type JsonObject } from '../domain/json.ts'
import { areAmounts } from '../domain/quality.ts'
import { type Columns, watchColumns } from '../domain/rows.ts'
import { checkExamples, readCaseFile, readExampleFile } from '../store/examples.ts'
import { refuseExisting, stageApp } from '../store/new-app.ts'
import { findRoot, openDataDirectory } from '../store/root.ts'
import { compileSchema, refuseDeep, type Validator } from '../store/schemas.ts'
import { checkConfigText, readSpecifications, withValues } from '../store/specification.ts'
import { findTemplateFor, readTemplate, type Template } from '../store/templates.ts'
import { init } from './init.ts'
import { refuseMerge } from './open-app.ts'
import type { Workspace } from './workspace.ts'
import { write } from './write.ts'

export interface CreateRequest {
  /** Optional with `from`, whose specifications carry their own. */
  id?: string | undefined
  from?: string | undefined
  template?: string | undefined
  name?: string | undefined
  task?: string | undefined
  inputSchema?: JsonObject | undefined
  outputSchema?: JsonObject | undefined
  examples?: string | undefined
  columns?: Columns
}

export interface Created {
  loop_app_id: string
  path: string
  template: string | null
  examples: number
  cases: number
  /** `null` when nothing is committed. */
  commit: string | null
}

/** What an app is made of, before it has been checked. */
interface Origin {
  id: string
  /** config.yaml without the id. */
  text: string
  examples: Example[]
  casesFile?: string
  template?: string
  /** Where the examples come from, for error messages. */
  source: string
  /** `file:line:column` of a value of the specification, by its JSON pointer. */
  place?: (pointer: string) => string
}

/** Creates one app, or all the apps of a specification file when no id is given. Makes the data directory when there is none. */
export async function create(workspace: Workspace, request: CreateRequest): Promise<Created[]> {
  refuseMerge(workspace)
  if (request.inputSchema) refuseDeep(request.inputSchema, '--input-schema')
  if (request.outputSchema) refuseDeep(request.outputSchema, '--output-schema')
  const { columns, said } = watchColumns(request.columns)
  const origins = await findOrigins(workspace, {
    ...request,
    columns,
    id: request.id && parseId(request.id),
  })
  for (const sentence of said()) workspace.report(sentence)
  const checked = await Promise.all(origins.map(origin => checkOrigin(workspace, origin)))
  if (!findRoot(workspace)) {
    const { root } = await init(workspace)
    workspace.report(`made the data directory ${root}`)
  }
  const data = await openDataDirectory(workspace)
  await refuseExisting(
    data,
    checked.map(app => app.id),
  )
  const created: Created[] = []
  for (const { id, config, examples, cases, template } of checked) {
    checkConfigText(config, 'config.yaml', data.settings)
    const commit = await write(workspace, data, async transaction => {
      const app = await stageApp(data, { id, config, examples, cases: cases.text })
      const trailers = { 'Loopai-App': id, 'Loopai-Op': 'create' }
      return transaction.commit({ subject: `${id}: create`, trailers, ...app })
    })
    const { directory } = data.paths.app(id)
    created.push({
      loop_app_id: id,
      path: directory,
      template: template ?? null,
      examples: examples.length,
      cases: cases.count,
      commit,
    })
  }
  return created
}

async function findOrigins(workspace: Workspace, request: CreateRequest): Promise<Origin[]> {
  if (request.from && request.template) {
    throw new LoopaiError('USAGE', '--from and --template both say what the app is like', {
      hint: 'leave one of them out',
    })
  }
  if (request.from) return fromFile(workspace, request, request.from)
  const id = request.id ?? missing('an id', 'loopai create spam-detector-001')
  if (request.template) return [await fromTemplate(id, await readTemplate(request.template), request)]
  if (request.task || request.examples || request.inputSchema || request.outputSchema) {
    return [await fromFlags(workspace, id, request)]
  }
  const template = await findTemplateFor(id)
  return template ? [await fromTemplate(id, template, request)] : missing('what the app is for', WAYS(id))
}

const WAYS = (id: string) =>
  [
    `loopai create ${id} --from spec.yaml`,
    `loopai create ${id} --examples rows.jsonl --task "Classify …"`,
    `loopai create ${id} --template blank`,
  ].join('\n      ')

function missing(what: string, hint: string): never {
  throw new LoopaiError('MISSING_VALUE', `create needs ${what}`, { hint })
}

async function fromFile(workspace: Workspace, request: CreateRequest, file: string): Promise<Origin[]> {
  const found = await readSpecifications(file)
  const wanted = request.id ? found.filter(spec => spec.id === request.id) : found
  const chosen = wanted.length > 0 ? wanted : found.length === 1 ? found : []
  if (chosen.length === 0) {
    const ids = found.map(spec => spec.id).filter(Boolean)
    throw new LoopaiError('USAGE', `${file} does not specify ${request.id}`, {
      hint: `it specifies: ${ids.join(', ')}`,
    })
  }
  if (chosen.length > 1 && (request.examples || isChanged(request))) {
    throw new LoopaiError(
      'USAGE',
      `${file} specifies ${chosen.length} apps, and the other flags are for one`,
      {
        hint: `say which: loopai create ${chosen[0]!.id ?? 'my-app-001'} --from ${file} …`,
      },
    )
  }
  const more = request.examples ? (await readExampleFile(request.examples, request.columns)).rows : []
  return Promise.all(
    chosen.map(async spec => {
      const id = request.id ?? spec.id ?? missing('an id', `loopai create my-app-001 --from ${file}`)
      if (spec.ignored.length > 0) {
        workspace.report(
          `${id}: ${spec.ignored.join(' and ')} ignored: the active link alone says what is active`,
        )
      }
      if (spec.id && spec.id !== id) workspace.report(`${file} specifies ${spec.id}; it is created as ${id}`)
      return {
        id: parseId(id),
        text: await withValues(spec.text, valuesOf(request)),
        examples: [...spec.examples, ...more],
        source: more.length > 0 ? request.examples! : `${file} examples`,
        place: spec.place,
      }
    }),
  )
}

/** The template's own examples give way to those that are brought. */
async function fromTemplate(id: string, template: Template, request: CreateRequest): Promise<Origin> {
  const text = await withValues(await readFile(template.spec, 'utf8'), valuesOf(request))
  const source = request.examples ?? template.examples
  const columns = request.examples ? request.columns : undefined
  const examples = existsSync(source) || request.examples ? (await readExampleFile(source, columns)).rows : []
  const cases = existsSync(template.cases) ? { casesFile: template.cases } : {}
  return { id, text, examples, ...cases, template: template.name, source }
}

/** What flags say in place of a file. */
function valuesOf({ name, task, inputSchema, outputSchema }: CreateRequest) {
  return { name, task, input_schema: inputSchema, output_schema: outputSchema }
}

function isChanged(request: CreateRequest): boolean {
  return Object.values(valuesOf(request)).some(value => value !== undefined)
}

/** To come within a hair of a number is no aim. That half of what the numbers vary by is explained is a start. */
const TARGETS_OF_AMOUNTS = { metric: 'r2', accuracy: 0.5 }

async function fromFlags(workspace: Workspace, id: string, request: CreateRequest): Promise<Origin> {
  const { rows: examples = [] } = request.examples
    ? await readExampleFile(request.examples, {
        ...request.columns,
        ...(request.inputSchema &&
          request.outputSchema && { schemas: { input: request.inputSchema, output: request.outputSchema } }),
      })
    : {}
  const inferred = examples.length > 0 ? inferSchemas(examples) : undefined
  if (inferred && !(request.inputSchema && request.outputSchema)) {
    for (const sentence of inferred.said) workspace.report(`inferred ${sentence}`)
  }
  for (const name of findIds(examples)) {
    workspace.report(
      `${name} is another in every row: rows with the same text are no repetitions then, and look like unseen ones; if it says nothing, leave it out: --map text=… --label …`,
    )
  }
  const flagsHint = `--task, --input-schema and --output-schema, or --examples from which schemas are inferred`
  const specification = {
    name: request.name ?? id,
    task: request.task ?? (inferred ? `Answer as the examples of ${id} do` : missing('a task', flagsHint)),
    input_schema: request.inputSchema ?? inferred?.input ?? missing('an input schema', flagsHint),
    output_schema: request.outputSchema ?? inferred?.output ?? missing('an output schema', flagsHint),
    ...(areAmounts(examples.map(example => example.output)) && { targets: TARGETS_OF_AMOUNTS }),
  }
  const { dump } = await import('js-yaml')
  return { id, text: dump(specification, { lineWidth: 110 }), examples, source: request.examples ?? 'flags' }
}

/** Refuses what does not fit together, before anything is written. */
async function checkOrigin(workspace: Workspace, origin: Origin) {
  const { id, text, examples, casesFile, template, source } = origin
  const config = `loop_app_id: ${id}\n${text}`
  const { input_schema, output_schema } = checkConfigText(config, 'the specification', {})
  const [input, output] = await Promise.all([
    compile(input_schema, 'input_schema', origin),
    compile(output_schema, 'output_schema', origin),
  ])
  checkExamples(source, withLines(examples), input, output)
  const cases = await checkCases(casesFile, input, output)
  if (isObject(input_schema.properties) && input({}).length === 0) {
    workspace.report(
      `${id}: input_schema accepts {} too; list under required what every input has, and a misspelt property is refused`,
    )
  }
  return { id, config, examples, template, cases }
}

async function compile(schema: JsonObject, name: string, { place }: Origin): Promise<Validator> {
  try {
    return await compileSchema(schema, name)
  } catch (error) {
    if (!place || !(error instanceof LoopaiError) || error.code !== 'INVALID_SCHEMA') throw error
    const where = place(`/${name}${error.details.pointer}`)
    throw new LoopaiError(error.code, `${where}: ${error.message}`, error)
  }
}

async function checkCases(file: string | undefined, input: Validator, output: Validator) {
  if (!file) return { text: '', count: 0 }
  const [text, rows] = await Promise.all([readFile(file, 'utf8'), readCaseFile(file)])
  checkExamples(file, rows, input, output)
  return { text, count: rows.length }
}

function withLines(examples: Example[]) {
  return examples.map((example, index) => ({ line: index + 1, ...example }))
}
