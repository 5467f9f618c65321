import type { ExecutionReply } from '../actions/executor.ts'
import type { LiveOptions } from '../actions/live-app.ts'
import { parseVersion, type VersionSelector } from '../domain/address.ts'
import { LoopaiError } from '../domain/errors.ts'
import { readObject } from './body.ts'
import { type Answer, type Call, json } from './exchange.ts'
import { problem, STATUS_OF_KIND } from './problem.ts'
import type { Service } from './service.ts'

const PROPERTIES = ['input', 'version', 'timeout_ms', 'force_validation', 'client'] as const
export const ENVELOPE_BYTES = 64 * 1024
const MAX_TIMEOUT_MS = 600_000

/** `POST /loop-apps/{id}/execute` */
export async function execute(service: Service, call: Call, [id]: string[]): Promise<Answer> {
  const live = await service.apps.get(id!)
  const body = await readObject(call, live.maxInputBytes() + ENVELOPE_BYTES, PROPERTIES)
  if (!('input' in body))
    throw new LoopaiError('MISSING_VALUE', 'the body has no input', { hint: 'send {"input": …}' })
  const options = optionsOf(body)
  const key = call.header('idempotency-key')
  // With a key it is run although its client may have gone: it will be asked for again.
  if (key === undefined) {
    options.isGone = call.isGone
    return answerOf(service, await live.execute(body.input, options))
  }
  const { reply, isReplayed } = await service.idempotency.once(`${id}\n${key}`, body, () =>
    live.execute(body.input, options),
  )
  const answer = answerOf(service, reply, !isReplayed)
  if (isReplayed) answer.headers['Idempotent-Replayed'] = 'true'
  return answer
}

/** The same checks for one execution and for a batch. */
export function optionsOf(body: Partial<Record<(typeof PROPERTIES)[number], unknown>>): LiveOptions {
  return {
    version: versionOf(body.version),
    timeoutMs: wholeNumber('timeout_ms', body.timeout_ms, MAX_TIMEOUT_MS),
    forceValidation: flag('force_validation', body.force_validation),
    client: label('client', body.client),
    isGone: undefined,
  }
}

export function wholeNumber(name: string, value: unknown, most: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most)
    return value as number
  throw new LoopaiError('USAGE', `${name} has to be a whole number from 1 to ${most}`)
}

export function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  throw new LoopaiError('USAGE', `${name} has to be true or false`)
}

export function label(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value.length <= 200) return value
  throw new LoopaiError('USAGE', `${name} has to be text of at most 200 characters`)
}

function versionOf(value: unknown): VersionSelector | undefined {
  if (value === undefined || value === null) return undefined
  return parseVersion(typeof value === 'number' || typeof value === 'string' ? String(value) : '')
}

function answerOf(service: Service, reply: ExecutionReply, isNew = true): Answer {
  if (isNew) service.metrics.observeExecution(reply)
  const { error, recorded: _recorded, ...rest } = reply
  const headers = {
    'Loopai-Version': `v${reply.version}`,
    'Loopai-Digest': reply.digest,
    'Loopai-Execution-Id': reply.execution_id,
  }
  if (!error) return json(rest, headers)
  const { kind, message, pointers } = error
  const { status, ...facts } = rest
  const answer = problem(STATUS_OF_KIND[kind], 'PROGRAM_FAILED', message, {
    kind,
    ...(pointers && { pointers }),
    ...facts,
    outcome: status,
  })
  Object.assign(answer.headers, headers)
  return answer
}
