import type { JsonObject } from '../domain/json.ts'
import { LOOPAI_VERSION } from '../package.ts'

export interface DescribedApp {
  id: string
  name: string
  task: string
  version: number
  input_schema: JsonObject
  output_schema: JsonObject
}

/** OpenAPI 3.1: each app has paths of its own, with what its active version takes and gives. */
export function openapiOf(apps: DescribedApp[]) {
  return {
    openapi: '3.1.0',
    info: { title: 'Loopai', version: LOOPAI_VERSION, description: 'Loop Apps of this data directory.' },
    paths: { ...Object.assign({}, ...apps.map(pathsOf)), ...COMMON_PATHS },
    components: { schemas: SCHEMAS, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{}, { token: [] }],
  }
}

function pathsOf({ id, name, task, input_schema, output_schema }: DescribedApp) {
  const [input, output] = [input_schema, output_schema].map(({ $schema: _dialect, ...schema }) => schema)
  return {
    [`/loop-apps/${id}/execute`]: {
      post: {
        operationId: `execute-${id}`,
        summary: name,
        description: task,
        tags: [id],
        parameters: [IDEMPOTENCY_KEY],
        requestBody: body('application/json', {
          type: 'object',
          required: ['input'],
          additionalProperties: false,
          properties: {
            input,
            version: { type: ['integer', 'string'], description: 'a version other than the active one' },
            timeout_ms: { type: 'integer', minimum: 1 },
            force_validation: { type: 'boolean' },
            client: { type: 'string', maxLength: 200 },
          },
        }),
        responses: {
          200: answer('the answer', { allOf: [reference('Execution'), { properties: { output } }] }),
          ...problems(400, 401, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504),
        },
      },
    },
    [`/loop-apps/${id}/execute-batch`]: {
      post: {
        operationId: `execute-batch-${id}`,
        summary: `${name}, many at once`,
        tags: [id],
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['items'],
                properties: {
                  items: { type: 'array', items: itemOf(input!) },
                  max_concurrency: { type: 'integer', minimum: 1, maximum: 256 },
                  stop_on_first_error: { type: 'boolean' },
                },
              },
            },
            'application/x-ndjson': { schema: { type: 'string', description: 'one item a line' } },
          },
        },
        responses: {
          200: {
            description: 'results in the order of the items',
            content: {
              'application/json': { schema: reference('Batch') },
              'application/x-ndjson': { schema: { type: 'string', description: 'one result a line' } },
            },
          },
          ...problems(400, 401, 404, 409, 413, 415, 503),
        },
      },
    },
    [`/loop-apps/${id}/feedback`]: {
      post: {
        operationId: `feedback-${id}`,
        summary: 'say what the output should have been',
        tags: [id],
        requestBody: body('application/json', {
          type: 'object',
          required: ['execution_id', 'expected'],
          properties: {
            execution_id: { type: 'string', format: 'uuid' },
            expected: output,
            comment: { type: 'string' },
            client: { type: 'string' },
          },
        }),
        responses: { 201: answer('kept', { type: 'object' }), ...problems(400, 401, 404, 422) },
      },
    },
  }
}

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const answer = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
})

const body = (type: string, schema: object) => ({ required: true, content: { [type]: { schema } } })

const itemOf = (input: JsonObject) => ({
  type: 'object',
  required: ['input'],
  properties: { id: { type: ['string', 'integer'] }, input },
})

function problems(...statuses: number[]) {
  const problem = {
    description: 'a problem (RFC 9457)',
    content: { 'application/problem+json': { schema: reference('Problem') } },
  }
  return Object.fromEntries(statuses.map(status => [status, problem]))
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'a call that is repeated with the same key within ten minutes gets the first answer',
  schema: { type: 'string', maxLength: 255 },
}

const get = (operationId: string, summary: string, parameters: object[] = []) => ({
  get: {
    operationId,
    summary,
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: answer(summary, { type: 'object' }), ...problems(401, 404) },
  },
})

const inPath = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } })

const COMMON_PATHS = {
  '/loop-apps': get('list', 'all Loop Apps'),
  '/loop-apps/{id}': get('show', 'a Loop App', [inPath('id')]),
  '/loop-apps/{id}/versions': get('versions', 'the versions of a Loop App', [inPath('id')]),
  '/loop-apps/{id}/versions/{version}': get('version', 'one version', [inPath('id'), inPath('version')]),
  '/loop-apps/{id}/stats': get('stats', 'counts and latencies', [
    inPath('id'),
    { name: 'since', in: 'query', required: false, schema: { type: 'string', format: 'date' } },
  ]),
  '/healthz': get('health', 'whether it is alive'),
  '/readyz': get('readiness', 'whether it is ready'),
}

const EXECUTION = {
  execution_id: { type: 'string', format: 'uuid' },
  loop_app_id: { type: 'string' },
  version: { type: 'integer' },
  digest: { type: 'string' },
  status: { type: 'string', enum: ['success', 'error', 'timeout'] },
  latency_ms: { type: 'number' },
  sampled_for_validation: { type: 'boolean' },
  confidence: { type: 'number', minimum: 0, maximum: 1 },
  reason: { type: 'string' },
}

const SCHEMAS = {
  Execution: {
    type: 'object',
    required: ['output', 'execution_id', 'loop_app_id', 'version', 'digest', 'status', 'latency_ms'],
    properties: { output: {}, ...EXECUTION },
  },
  Batch: {
    type: 'object',
    required: ['total', 'succeeded', 'failed', 'skipped', 'results'],
    properties: {
      loop_app_id: { type: 'string' },
      total: { type: 'integer' },
      succeeded: { type: 'integer' },
      failed: { type: 'integer' },
      skipped: { type: 'integer' },
      results: { type: 'array', items: { type: 'object' } },
    },
  },
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'detail'],
    properties: {
      type: { type: 'string', format: 'uri' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string' },
      detail: { type: 'string' },
      hint: { type: 'string' },
      kind: { type: 'string' },
      pointers: { type: 'array', items: { type: 'string' } },
      execution_id: { type: 'string' },
    },
  },
}
