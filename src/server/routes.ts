import { executeBatch } from './batch.ts'
import type { Answer, Call } from './exchange.ts'
import { execute } from './execute.ts'
import { giveFeedback } from './feedback.ts'
import { healthz, metrics, readyz } from './health.ts'
import { listLoopApps, openapi, showLoopApp, showStats, showVersion, showVersions } from './reading.ts'
import type { Service } from './service.ts'

export interface Route {
  method: 'GET' | 'POST'
  /** The path, with a name in braces where it varies. */
  name: string
  /** Answered to everybody. */
  isOpen?: boolean
  run(service: Service, call: Call, params: string[]): Promise<Answer>
}

export const ROUTES: Route[] = [
  { method: 'POST', name: '/loop-apps/{id}/execute', run: execute },
  { method: 'POST', name: '/loop-apps/{id}/execute-batch', run: executeBatch },
  { method: 'POST', name: '/loop-apps/{id}/feedback', run: giveFeedback },
  { method: 'GET', name: '/loop-apps', run: listLoopApps },
  { method: 'GET', name: '/loop-apps/{id}', run: showLoopApp },
  { method: 'GET', name: '/loop-apps/{id}/versions', run: showVersions },
  { method: 'GET', name: '/loop-apps/{id}/versions/{version}', run: showVersion },
  { method: 'GET', name: '/loop-apps/{id}/stats', run: showStats },
  { method: 'GET', name: '/openapi.json', run: openapi },
  { method: 'GET', name: '/healthz', isOpen: true, run: healthz },
  { method: 'GET', name: '/readyz', isOpen: true, run: readyz },
  { method: 'GET', name: '/metrics', run: metrics },
]

const SEGMENTS = ROUTES.map(route => route.name.split('/'))

/** The route of a path, or the methods that the path takes instead. `HEAD` is answered as `GET`, without the body. */
export function findRoute(
  path: string,
  method: string,
): { route: Route | undefined; allowed: string[]; params: string[] } {
  const segments = path.split('/')
  const wanted = method === 'HEAD' ? 'GET' : method
  const allowed: string[] = []
  for (let index = 0; index < ROUTES.length; index++) {
    if (!isMatch(segments, SEGMENTS[index]!)) continue
    const route = ROUTES[index]!
    if (route.method !== wanted) allowed.push(route.method)
    else return { route, allowed, params: paramsOf(segments, SEGMENTS[index]!) }
  }
  return { route: undefined, allowed, params: [] }
}

function isMatch(segments: string[], pattern: string[]): boolean {
  if (segments.length !== pattern.length) return false
  for (let index = 0; index < pattern.length; index++) {
    const isFree = pattern[index]![0] === '{'
    if (isFree ? segments[index] === '' : segments[index] !== pattern[index]) return false
  }
  return true
}

function paramsOf(segments: string[], pattern: string[]): string[] {
  return segments.filter((_, index) => pattern[index]![0] === '{').map(decode)
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
