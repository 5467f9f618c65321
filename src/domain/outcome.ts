/** What a worker says of one call, before the output has been checked against a schema. */
export type Reply = { kind: 'ok'; value: unknown; latencyMs: number } | Failure

export interface Failure {
  kind: FailureKind
  message: string
  latencyMs: number
}

/**
 * `bad-input` it was not asked, the input being more than it may be sent; `error` the program raised; `timeout` wall clock; `cpu` and
 * `memory` limits; `killed` by a signal; `noreply` it ended without an answer; `bad-output` it returned what is no JSON;
 * `output-limit`, `log-limit` it said too much; `protocol` it broke the frame protocol; `start-failed` it could not be loaded;
 * `sandbox-unavailable` the process could not be confined or started at all.
 */
export type FailureKind =
  | 'bad-input'
  | 'error'
  | 'timeout'
  | 'cpu'
  | 'memory'
  | 'killed'
  | 'noreply'
  | 'bad-output'
  | 'output-limit'
  | 'log-limit'
  | 'protocol'
  | 'start-failed'
  | 'sandbox-unavailable'
