import { ERRORS, LoopaiError } from '../domain/errors.ts'
import type { ErrorKind } from '../domain/execution.ts'
import type { Answer } from './exchange.ts'

/** How an execution that failed is answered; `docs/formats.md` has the same table. */
export const STATUS_OF_KIND: Record<ErrorKind, number> = {
  invalid_input: 422,
  program_error: 500,
  resource_limit: 500,
  invalid_output: 502,
  timeout: 504,
}

/** A problem document (RFC 9457) with the code that the command line gives for the same refusal. */
export function problemOf(error: unknown, root: string): Answer {
  // What is no refusal is a bug: it is logged, and nothing of it is told.
  if (!(error instanceof LoopaiError)) return problem(500, 'INTERNAL', 'an internal error')
  const { http } = ERRORS[error.code]
  return problem(http, error.code, withoutRoot(error.message, root), {
    ...(error.hint && { hint: withoutRoot(error.hint, root) }),
    ...publicDetails(error),
  })
}

export function problem(
  status: number,
  code: string,
  detail: string,
  more: Record<string, unknown> = {},
): Answer {
  const title = TITLES[status] ?? 'Error'
  const document = { type: `urn:loopai:error:${code}`, title, status, code, detail, ...more }
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(RETRY_SECONDS[status] && { 'Retry-After': RETRY_SECONDS[status] }),
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      // The rest of the body is not read.
      ...((status === 413 || status === 408) && { Connection: 'close' }),
    },
    body: JSON.stringify(document),
  }
}

/** Where the data directory lies on this machine is nobody's business. */
function withoutRoot(text: string, root: string): string {
  return text.replaceAll(`${root}/`, '').replaceAll(root, 'the data directory')
}

const RETRY_SECONDS: Record<number, string> = { 429: '1', 503: '1' }

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

/** What a caller needs to mend its request; not what the folders on this machine are called. */
function publicDetails({ details }: LoopaiError): Record<string, unknown> {
  return Array.isArray(details.pointers) ? { pointers: details.pointers } : {}
}
