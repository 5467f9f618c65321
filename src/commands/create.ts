import path from 'node:path'
import { type CreateRequest, create } from '../actions/create.ts'
import { LoopaiError } from '../domain/errors.ts'
import { isObject, type JsonObject } from '../domain/json.ts'
import { findTemplateFor, listTemplates } from '../store/templates.ts'
import { readText } from '../store/text.ts'
import { askChoice, askText } from '../terminal/prompt.ts'
import type { CommandFile, Session } from './command.ts'
import { type ColumnOptions, columnsOf, defineColumns } from './options.ts'

interface Options extends ColumnOptions {
  from?: string
  template?: string
  name?: string
  task?: string
  inputSchema?: string
  outputSchema?: string
  examples?: string
}

const MAX_SCHEMA_BYTES = 1024 * 1024

const command: CommandFile = {
  define(command) {
    command
      .argument('[app]', 'id of the new app, e.g. spam-detector-001')
      .option('--from <file>', 'a specification in YAML; it may hold several apps')
      .option('--template <name>', 'a shipped app; default: the one that the id begins with')
      .option('--name <text>', 'what people call it')
      .option('--task <text>', 'the question that it answers')
      .option('--input-schema <json>', 'JSON Schema of the input, or a file with it')
      .option('--output-schema <json>', 'JSON Schema of the output, or a file with it')
      .option(
        '--examples <file>',
        'labelled rows (JSONL, JSON, CSV, TSV; - for stdin); schemas are inferred from them',
      )
    defineColumns(command)
    command.addHelpText(
      'after',
      `
Examples:
  loopai create spam-detector-001                                     # from the template of that name
  loopai create --from spec.yaml                                      # from a specification
  loopai create tickets-001 --examples tickets.csv --label category   # from labelled rows`,
    )
  },

  async run(session, [id], options: Options) {
    const { workspace, terminal } = session
    const request: CreateRequest = {
      id,
      from: options.from,
      template: options.template,
      name: options.name,
      task: options.task,
      inputSchema: await readSchema(options.inputSchema, '--input-schema'),
      outputSchema: await readSchema(options.outputSchema, '--output-schema'),
      examples: options.examples,
      columns: columnsOf(options),
    }
    const created = await create(workspace, terminal.canAsk ? await complete(request, session) : request)
    if (terminal.flags.json) return terminal.printJson(created.length === 1 ? created[0] : created)
    for (const app of created) {
      const place = path.relative(workspace.cwd, app.path)
      const rows = `${app.examples} examples, ${app.cases} golden cases`
      terminal.print(
        terminal.flags.quiet ? app.loop_app_id : `created ${app.loop_app_id} in ${place} (${rows})`,
      )
    }
    const first = created[0]!
    terminal.next(
      first.examples > 0
        ? `loopai generate ${first.loop_app_id}`
        : `loopai generate ${first.loop_app_id} --examples rows.jsonl`,
    )
  },
}

export default command

/** Asks for what is missing, and for nothing else. */
async function complete(request: CreateRequest, { terminal }: Session): Promise<CreateRequest> {
  if (request.from) return request
  const id = request.id ?? (await askText('Id of the new app', { default: 'my-app-001' }))
  const isTold = request.template || request.task || request.examples || request.outputSchema
  if (isTold || (await findTemplateFor(id))) return { ...request, id }
  terminal.note(`No template is called like ${id}.`)
  const own = 'describe it'
  const template = await askChoice('What is it like?', [
    { name: 'something else: I describe it', value: own },
    ...(await listTemplates()).map(name => ({ name, value: name })),
  ])
  if (template !== own) return { ...request, id, template }
  const task = await askText('The question it answers, in one sentence')
  const property = await askText('Name of its input, a text', { default: 'text' })
  const labels = await askText('Its answers, separated by commas', { default: 'yes, no' })
  return {
    ...request,
    id,
    task,
    inputSchema: { type: 'object', required: [property], properties: { [property]: { type: 'string' } } },
    outputSchema: {
      type: 'string',
      enum: [
        ...new Set(
          labels
            .split(',')
            .map(label => label.trim())
            .filter(Boolean),
        ),
      ],
    },
  }
}

async function readSchema(given: string | undefined, flag: string): Promise<JsonObject | undefined> {
  if (given === undefined) return undefined
  const isText = given.trimStart().startsWith('{')
  const text = isText ? given : await readText(given, MAX_SCHEMA_BYTES)
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value as JsonObject
  } catch (error) {
    throw new LoopaiError('INVALID_JSON', `${flag} is not JSON: ${(error as Error).message}`, { hint: HINT })
  }
  throw new LoopaiError('INVALID_JSON', `${flag} is not a JSON object`, { hint: HINT })
}

const HINT = `give a file, or JSON in quotes: '{"type": "object"}'`
