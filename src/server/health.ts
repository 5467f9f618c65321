import type { AppHealth } from '../actions/live-app.ts'
import { type Answer, type Call, json } from './exchange.ts'
import type { Service } from './service.ts'

/** `GET /healthz`: the process answers. How each app is doing is told to those who may know. */
export async function healthz(service: Service, call: Call): Promise<Answer> {
  const apps = healthOf(service)
  const isWell = apps.every(app => app.status !== 'unavailable' && app.status !== 'degraded')
  const status = isWell ? 'ok' : 'degraded'
  return json(service.isAuthorized(call) ? { status, loop_apps: apps } : { status })
}

/** `GET /readyz`: every app with an active version is warm, and the server is not going away. */
export async function readyz(service: Service, call: Call): Promise<Answer> {
  const apps = healthOf(service)
  const isReady = !service.isDraining() && apps.every(app => app.status !== 'unavailable')
  const status = service.isDraining() ? 'draining' : isReady ? 'ready' : 'unavailable'
  const answer = json(service.isAuthorized(call) ? { status, loop_apps: apps } : { status })
  return { ...answer, status: isReady ? 200 : 503 }
}

/** `GET /metrics` */
export async function metrics(service: Service): Promise<Answer> {
  const { text, contentType } = service.metrics
  return { status: 200, headers: { 'Content-Type': contentType }, body: await text() }
}

type Summary = AppHealth | { loop_app_id: string; status: 'unavailable'; problem: string }

function healthOf({ apps }: Service): Summary[] {
  const broken = [...apps.failures()].map(
    ([loop_app_id, problem]): Summary => ({ loop_app_id, status: 'unavailable', problem }),
  )
  return [...apps.opened().map(app => app.health()), ...broken].sort((a, b) =>
    a.loop_app_id < b.loop_app_id ? -1 : 1,
  )
}
