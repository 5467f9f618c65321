/** One request, whoever brings it: a port, or a test with a `Request`. */
export interface Call {
  method: string
  /** Without the query. */
  path: string
  query(): URLSearchParams
  header(name: string): string | undefined
  /** The whole body. Rejects as soon as it is larger than allowed, or slower. */
  read(maxBytes: number): Promise<Buffer>
  /** The body as it comes; reading slowly slows the sender down. */
  stream(): AsyncIterable<Buffer>
  /** Nobody is there any more to take the answer. */
  isGone(): boolean
}

export interface Answer {
  status: number
  headers: Record<string, string>
  /** Text at once, or parts as they are made; making them waits for a slow reader. */
  body: string | AsyncIterable<string>
}

export function json(value: unknown, headers: Record<string, string> = {}, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}
