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
            timeout_ms: {
              type: 'integer',
              minimum: 1,
              maximum: 600_000,
              description: 'for the program; waiting for it is not part of it',
            },
            force_validation: { type: 'boolean', description: 'it joins the sample that is validated' },
            client: TEXT,
          },
        }),
        responses: {
          200: {
            ...answer('the answer', { allOf: [reference('Execution'), { properties: { output } }] }),
            headers: EXECUTION_HEADERS,
          },
          ...problems(400, 401, 404, 408, 409, 413, 415, 421, 422, 429, 500, 502, 503, 504),
        },
      },
    },
    [`/loop-apps/${id}/execute-batch`]: {
      post: {
        operationId: `execute-batch-${id}`,
        summary: `${name}, many at once`,
        tags: [id],
        parameters: STREAM_LIMITS,
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['items'],
                additionalProperties: false,
                properties: { items: { type: 'array', items: itemOf(input!) }, ...BATCH_LIMITS },
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
          ...problems(400, 401, 404, 408, 409, 413, 415, 421, 503),
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
          additionalProperties: false,
          properties: {
            execution_id: { type: 'string', format: 'uuid' },
            expected: output,
            comment: TEXT,
            client: TEXT,
          },
        }),
        responses: {
          201: answer('the validation that was kept', { type: 'object' }),
          ...problems(400, 401, 404, 408, 413, 415, 421, 422, 503),
        },
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
  additionalProperties: false,
  properties: { id: { description: 'comes back with the result; by default its place' }, input },
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
  description:
    'a call that is repeated with the same key within ten minutes gets the answer of the first, if that succeeded',
  schema: { type: 'string', maxLength: 255 },
}

const TEXT = { type: 'string', maxLength: 200 }

const BATCH_LIMITS = {
  max_concurrency: { type: 'integer', minimum: 1, maximum: 256, default: 32 },
  stop_on_first_error: { type: 'boolean', default: false },
}

/** A stream of lines has no place for them in its body. */
const STREAM_LIMITS = Object.entries(BATCH_LIMITS).map(([name, schema]) => ({
  name,
  in: 'query',
  required: false,
  description: 'for a body of lines',
  schema,
}))

const EXECUTION_HEADERS = Object.fromEntries(
  ['Loopai-Version', 'Loopai-Digest', 'Loopai-Execution-Id', 'Idempotent-Replayed', 'X-Request-Id'].map(
    name => [name, { schema: { type: 'string' } }],
  ),
)

const get = (operationId: string, summary: string, parameters: object[] = []) => ({
  get: {
    operationId,
    summary,
    ...(parameters.length > 0 && { parameters }),
    responses: { 200: answer(summary, { type: 'object' }), ...problems(400, 401, 404, 421, 503) },
  },
})

/** Answered without a token. */
const probe = (operationId: string, summary: string, refusal: object) => ({
  get: {
    operationId,
    summary,
    security: [],
    responses: { 200: answer(summary, { type: 'object' }), ...refusal },
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
  '/healthz': probe('health', 'it is alive', {}),
  '/readyz': probe('readiness', 'it is ready', { 503: answer('it is not ready', { type: 'object' }) }),
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'counts and times for Prometheus',
      responses: {
        200: { description: 'Prometheus text', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...problems(401, 421),
      },
    },
  },
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
      loop_app_id: { type: 'string' },
      version: { type: 'integer' },
      outcome: { type: 'string', enum: ['error', 'timeout'], description: 'of an execution that failed' },
    },
  },
}
