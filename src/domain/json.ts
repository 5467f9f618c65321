/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether lists and objects in `value` are nested more than `limit` deep. */
export function isNestedDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  if (Array.isArray(value)) {
    // By name, as below, a long list would take ten times as long.
    for (const item of value) if (isNestedDeeper(item, limit - 1)) return true
    return false
  }
  for (const name in value) {
    if (isNestedDeeper((value as Record<string, unknown>)[name], limit - 1)) return true
  }
  return false
}
