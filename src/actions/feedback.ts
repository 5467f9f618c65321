import { LoopaiError } from '../domain/errors.ts'
import type { Json } from '../domain/json.ts'
import { type Validation, validationOf } from '../domain/validation.ts'
import { appendValidation, findExecution } from '../store/datasets.ts'
import { compileSchema } from '../store/schemas.ts'
import { readVersion } from '../store/versions.ts'
import { openApp } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface FeedbackRequest {
  app: string
  executionId: string
  expected: Json
  by?: string | undefined
  comment?: string | undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Keeps what a consumer has learned: what the output of an execution should have been. */
export async function feedback(workspace: Workspace, request: FeedbackRequest): Promise<Validation> {
  const { app } = await openApp(workspace, request.app)
  const { executionId, expected, comment } = request
  const execution = UUID.test(executionId) ? await findExecution(app, executionId) : undefined
  if (!execution) {
    throw new LoopaiError('EXECUTION_NOT_FOUND', `${app.id} has no execution ${executionId.slice(0, 80)}`, {
      hint: 'use the execution_id of a recorded answer',
    })
  }
  const { manifest } = await readVersion(app, execution.version)
  const problems = (await compileSchema(manifest.output_schema, 'output_schema'))(expected)
  if (problems.length > 0) {
    const [{ pointer, message }] = problems as [(typeof problems)[0]]
    throw new LoopaiError(
      'INVALID_INPUT',
      `expected does not fit the output schema: ${pointer || 'it'} ${message}`,
      {
        details: { pointers: problems.map(problem => `/expected${problem.pointer}`) },
      },
    )
  }
  const validation = validationOf(execution, {
    expected,
    comment,
    by: request.by ?? 'consumer',
    at: workspace.now(),
  })
  appendValidation(app, validation)
  return validation
}
