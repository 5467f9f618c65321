import type { ExecutionReply } from '../actions/executor.ts'
import type { LiveApps } from '../actions/live-apps.ts'

export interface Metrics {
  observeExecution(reply: ExecutionReply): void
  observeRequest(route: string, status: number, seconds: number): void
  /** Prometheus text. */
  text(): Promise<string>
  contentType: string
}

const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Loads prom-client, which nothing else needs. */
export async function createMetrics(apps: LiveApps): Promise<Metrics> {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const executions = new Counter({
    name: 'loopai_executions_total',
    help: 'Executions by how they ended; kind is empty when they were answered.',
    labelNames: ['loop_app_id', 'version', 'status', 'kind'],
    registers,
  })
  const durations = new Histogram({
    name: 'loopai_execution_duration_seconds',
    help: 'What programs took.',
    labelNames: ['loop_app_id'],
    buckets: SECONDS,
    registers,
  })
  const requests = new Histogram({
    name: 'loopai_http_request_duration_seconds',
    help: 'HTTP requests from their headers to the end of the answer.',
    labelNames: ['route', 'code'],
    buckets: SECONDS,
    registers,
  })
  const gauge = (name: string, help: string, read: (health: Health) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['loop_app_id'],
      registers,
      collect() {
        this.reset()
        for (const app of apps.opened()) {
          const health = app.health()
          this.set({ loop_app_id: health.loop_app_id }, read(health))
        }
      },
    })
  gauge(
    'loopai_serving_version',
    'Number of the version that answers; 0 when none does.',
    h => h.serving_version ?? 0,
  )
  gauge('loopai_pending_executions', 'Executions that wait or run.', h => h.pending)
  gauge(
    'loopai_fallback_executions',
    'Requests answered by the last good version in place of a broken one.',
    h => h.fallbacks,
  )
  gauge(
    'loopai_unrecorded_executions',
    'Executions that could not be written to the dataset.',
    h => h.not_recorded,
  )

  // Looking a child up by its labels costs more than counting.
  const counters = new Map<string, { inc(): void }>()
  const timers = new Map<string, { observe(seconds: number): void }>()
  return {
    observeExecution({ loop_app_id, version, status, error, latency_ms }) {
      const kind = error?.kind ?? ''
      const key = `${loop_app_id} ${version} ${status} ${kind}`
      remember(counters, key, () =>
        executions.labels({ loop_app_id, version: `v${version}`, status, kind }),
      ).inc()
      remember(timers, loop_app_id, () => durations.labels({ loop_app_id })).observe(latency_ms / 1000)
    },
    observeRequest(route, status, seconds) {
      const labels = { route, code: String(status) }
      remember(timers, `${route} ${status}`, () => requests.labels(labels)).observe(seconds)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

type Health = ReturnType<ReturnType<LiveApps['opened']>[number]['health']>

function remember<Child>(children: Map<string, Child>, key: string, make: () => Child): Child {
  const known = children.get(key)
  if (known) return known
  const child = make()
  children.set(key, child)
  return child
}
