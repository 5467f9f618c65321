import { feedback } from '../actions/feedback.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Json } from '../domain/json.ts'
import { readObject } from './body.ts'
import { type Answer, type Call, json } from './exchange.ts'
import { ENVELOPE_BYTES, label } from './execute.ts'
import type { Service } from './service.ts'

const PROPERTIES = ['execution_id', 'expected', 'comment', 'client'] as const

/** `POST /loop-apps/{id}/feedback` */
export async function giveFeedback(service: Service, call: Call, [id]: string[]): Promise<Answer> {
  const live = await service.apps.get(id!)
  const body = await readObject(call, live.maxInputBytes() + ENVELOPE_BYTES, PROPERTIES)
  if (typeof body.execution_id !== 'string' || !('expected' in body)) {
    throw new LoopaiError('MISSING_VALUE', 'the body needs execution_id and expected')
  }
  live.flush()
  const validation = await feedback(service.workspace, {
    app: id!,
    executionId: body.execution_id,
    expected: body.expected as Json,
    by: label('client', body.client),
    comment: label('comment', body.comment),
  })
  return json(validation, {}, 201)
}
