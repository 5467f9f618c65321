/**
 * Every refusal, its exit status and its HTTP status. `docs/errors.md` explains each one.
 * Exit statuses: 2 usage, 3 a gate said no, 4 not found, 5 busy or conflicting, 6 the program failed, 7 integrity, 8 something outside.
 */
export const ERRORS = {
  USAGE: { exit: 2, http: 400 },
  MISSING_VALUE: { exit: 2, http: 400 },
  INVALID_ID: { exit: 2, http: 400 },
  INVALID_ADDRESS: { exit: 2, http: 400 },
  INVALID_JSON: { exit: 2, http: 400 },
  INVALID_YAML: { exit: 2, http: 400 },
  INVALID_CONFIG: { exit: 2, http: 400 },
  INVALID_SCHEMA: { exit: 2, http: 400 },
  INVALID_EXAMPLES: { exit: 2, http: 400 },
  INVALID_ARCHIVE: { exit: 2, http: 400 },
  INVALID_REQUIREMENTS: { exit: 2, http: 400 },
  NOT_ENOUGH_EXAMPLES: { exit: 2, http: 400 },
  NO_EXAMPLES: { exit: 2, http: 400 },
  UNSUPPORTED: { exit: 2, http: 400 },
  FILE_NOT_FOUND: { exit: 2, http: 400 },
  FILE_UNREADABLE: { exit: 2, http: 400 },
  INVALID_INPUT: { exit: 6, http: 422 },
  INPUT_TOO_LARGE: { exit: 6, http: 413 },
  UNAUTHORIZED: { exit: 2, http: 401 },
  METHOD_NOT_ALLOWED: { exit: 2, http: 405 },
  SLOW_REQUEST: { exit: 2, http: 408 },
  UNSUPPORTED_MEDIA_TYPE: { exit: 2, http: 415 },
  MISDIRECTED: { exit: 2, http: 421 },
  GATE_FAILED: { exit: 3, http: 409 },
  HOOK_REFUSED: { exit: 3, http: 409 },
  DATA_DIRECTORY_NOT_FOUND: { exit: 4, http: 404 },
  APP_NOT_FOUND: { exit: 4, http: 404 },
  VERSION_NOT_FOUND: { exit: 4, http: 404 },
  NO_ACTIVE_VERSION: { exit: 4, http: 503 },
  EXECUTION_NOT_FOUND: { exit: 4, http: 404 },
  ROUTE_NOT_FOUND: { exit: 4, http: 404 },
  NO_PREDECESSOR: { exit: 4, http: 404 },
  TEMPLATE_NOT_FOUND: { exit: 4, http: 404 },
  APP_EXISTS: { exit: 5, http: 409 },
  LOCKED: { exit: 5, http: 409 },
  GIT_BUSY: { exit: 5, http: 409 },
  BUSY: { exit: 5, http: 503 },
  APP_PAUSED: { exit: 5, http: 409 },
  APP_ARCHIVED: { exit: 5, http: 409 },
  NO_UPSTREAM: { exit: 5, http: 409 },
  PUSH_REJECTED: { exit: 5, http: 409 },
  QUEUE_FULL: { exit: 5, http: 429 },
  RATE_LIMITED: { exit: 5, http: 429 },
  CONFLICT: { exit: 5, http: 409 },
  PROGRAM_FAILED: { exit: 6, http: 500 },
  DRAFT_FAILED: { exit: 6, http: 500 },
  INTEGRITY: { exit: 7, http: 503 },
  NOT_TRUSTED: { exit: 2, http: 403 },
  EXTERNAL_FORBIDDEN: { exit: 2, http: 403 },
  BUDGET_EXHAUSTED: { exit: 8, http: 503 },
  GENERATOR_FAILED: { exit: 8, http: 503 },
  REMOTE_FAILED: { exit: 8, http: 503 },
  NO_GIT: { exit: 8, http: 503 },
  NO_IDENTITY: { exit: 8, http: 503 },
  GIT_FAILED: { exit: 8, http: 503 },
  PORT_UNAVAILABLE: { exit: 8, http: 503 },
  NO_PYTHON: { exit: 8, http: 503 },
  NO_SANDBOX: { exit: 8, http: 503 },
  ENVIRONMENT_MISSING: { exit: 8, http: 503 },
  PACKAGES_FAILED: { exit: 8, http: 503 },
  NOT_WRITABLE: { exit: 8, http: 503 },
  DISK_FULL: { exit: 8, http: 503 },
  INTERRUPTED: { exit: 130, http: 503 },
} as const

export type ErrorCode = keyof typeof ERRORS

interface ErrorOptions {
  /** What to type or do next, without a full stop. */
  hint?: string
  details?: Record<string, unknown>
  cause?: unknown
}

/** A refusal: it names the thing, and its hint says what to do next. Anything else that is thrown is a bug. */
export class LoopaiError extends Error {
  override name = 'LoopaiError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }

  get exit(): number {
    return ERRORS[this.code].exit
  }
}

/** What the file system says: neither a refusal of ours nor a bug. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
