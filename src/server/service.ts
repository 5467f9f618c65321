import { availableParallelism } from 'node:os'
import { type LiveApps, openLiveApps } from '../actions/live-apps.ts'
import type { Workspace } from '../actions/workspace.ts'
import { LoopaiError } from '../domain/errors.ts'
import type { Answer, Call } from './exchange.ts'
import { createGuard } from './guard.ts'
import { createIdempotency, type Idempotency } from './idempotency.ts'
import { type Log, SILENT } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { problemOf } from './problem.ts'
import { findRoute } from './routes.ts'

/** All that answers requests, without a port. Whoever creates it closes it. */
export interface Service {
  workspace: Workspace
  apps: LiveApps
  metrics: Metrics
  log: Log
  idempotency: Idempotency
  /** Never rejects. */
  answer(call: Call): Promise<Answer>
  isAuthorized(call: Call): boolean
  /** From now on `/readyz` says no, so that a load balancer sends nothing more. */
  drain(): void
  isDraining(): boolean
  /** Lets the executions in work end, writes what is to be recorded, and stops the programs. */
  close(patienceMs?: number): Promise<void>
}

export interface ServiceOptions {
  /** Only these apps; by default all of the data directory. */
  ids?: string[] | undefined
  /** Demanded of every request but those for `/healthz` and `/readyz`. */
  token?: string | undefined
  /** Set to false, any `Host` is accepted without a token. */
  isLocal?: boolean
  log?: Log
  unsandboxed?: boolean | undefined
  /** Processes of each version; default: one a core, from 2 to 4. */
  size?: number
  maxPending?: number
  maxWaitMs?: number
  maxRate?: number | undefined
}

/** Opens the apps and warms their active versions. */
export async function createService(
  workspace: Workspace,
  { ids, token, isLocal = true, log = SILENT, size = defaultSize(), ...options }: ServiceOptions = {},
): Promise<Service> {
  const apps = await openLiveApps(workspace, { ids, size, ...options })
  const guard = createGuard({ token, isLocal })
  const nextId = createIds()
  let isDraining = false

  const service: Service = {
    workspace,
    apps,
    metrics: await createMetrics(apps),
    log,
    idempotency: createIdempotency(workspace.now),
    isAuthorized: guard.isAuthorized,
    answer,
    drain() {
      isDraining = true
    },
    isDraining: () => isDraining,
    close: patienceMs => apps.close(patienceMs),
  }

  async function answer(call: Call): Promise<Answer> {
    const since = performance.now()
    const requestId = requestIdOf(call) ?? nextId()
    const found = findRoute(call.path, call.method)
    const answer = await answerRoute(call, found, requestId)
    answer.headers['X-Request-Id'] = requestId
    const seconds = (performance.now() - since) / 1000
    const route = found.route?.name ?? '(none)'
    service.metrics.observeRequest(route, answer.status, seconds)
    log.info(
      {
        request_id: requestId,
        method: call.method,
        route,
        ...(found.params[0] !== undefined && { loop_app_id: found.params[0] }),
        status: answer.status,
        ms: Math.round(seconds * 1e6) / 1000,
        ...(answer.headers['Loopai-Execution-Id'] && {
          execution_id: answer.headers['Loopai-Execution-Id'],
          version: answer.headers['Loopai-Version'],
        }),
      },
      'request',
    )
    return answer
  }

  async function answerRoute(
    call: Call,
    { route, allowed, params }: ReturnType<typeof findRoute>,
    requestId: string,
  ): Promise<Answer> {
    try {
      if (!route?.isOpen) guard.admit(call)
      if (route) return await route.run(service, call, params)
      if (allowed.length === 0) {
        throw new LoopaiError('ROUTE_NOT_FOUND', 'there is nothing at this path', {
          hint: 'GET /openapi.json lists the paths',
        })
      }
      const refusal = problemOf(
        new LoopaiError('METHOD_NOT_ALLOWED', `this path takes ${allowed.join(', ')}`),
        apps.root,
      )
      refusal.headers.Allow = allowed.join(', ')
      return refusal
    } catch (error) {
      if (!(error instanceof LoopaiError)) {
        log.error({ request_id: requestId, error: (error as Error).stack ?? String(error) }, 'bug')
      }
      return problemOf(error, apps.root)
    }
  }

  await apps.warm()
  return service
}

function defaultSize(): number {
  return Math.min(4, Math.max(2, availableParallelism()))
}

/** The caller's own id, when it is one that can stand in a log line. */
function requestIdOf(call: Call): string | undefined {
  const given = call.header('x-request-id')
  return given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : undefined
}

/** Short ids that differ within a process and, by their random beginning, between processes. */
function createIds(): () => string {
  const prefix = Math.random().toString(36).slice(2, 8)
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
