/** How often something may happen. */
export interface Rate {
  /** Takes one if there is one, and says in how many milliseconds there will be one: 0 when it was taken. Times are of one clock. */
  take(nowMs: number): number
}

/** A token bucket: `perSecond` in the long run, and as many at once after a second of silence. */
export function createRate(perSecond: number): Rate {
  let tokens = perSecond
  let filledAt: number | undefined
  return {
    take(nowMs) {
      tokens = Math.min(perSecond, tokens + ((nowMs - (filledAt ?? nowMs)) / 1000) * perSecond)
      filledAt = nowMs
      if (tokens < 1) return ((1 - tokens) / perSecond) * 1000
      tokens--
      return 0
    },
  }
}
