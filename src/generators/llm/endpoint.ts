import { isLoopback, OFFICIAL_URLS } from '../../domain/asks.ts'
import type { GeneratorSettings } from '../../domain/config.ts'
import { LoopaiError } from '../../domain/errors.ts'

/** Who is asked, and with which key. */
export interface Endpoint {
  provider: NonNullable<GeneratorSettings['provider']>
  model: string
  /** Without a slash at the end. */
  url: string
  key: string | undefined
  maxOutputTokens: number
  timeoutMs: number
  prices: NonNullable<GeneratorSettings['prices']> | undefined
}

/** The only key that each provider's own server gets. Others get LOOPAI_API_KEY, once somebody has agreed to them. */
const OFFICIAL_KEYS: Record<string, string | undefined> = {
  [OFFICIAL_URLS['openai-compatible']]: 'OPENAI_API_KEY',
  [OFFICIAL_URLS.anthropic]: 'ANTHROPIC_API_KEY',
}

export function endpointOf(
  settings: Partial<GeneratorSettings>,
  { env, isTrusted }: { env: NodeJS.ProcessEnv; isTrusted: boolean },
): Endpoint {
  const { provider, model } = settings
  if (!provider || !model) {
    throw new LoopaiError(
      'MISSING_VALUE',
      `the llm generator needs ${provider ? 'a model' : 'a provider and a model'}`,
      {
        hint: 'in config.yaml: generator: {use: llm, provider: anthropic, model: …}   (or openai-compatible, ollama; base_url for other servers)',
      },
    )
  }
  const url = (settings.base_url ?? OFFICIAL_URLS[provider]).replace(/\/+$/, '')
  const name = OFFICIAL_KEYS[url] ?? (isTrusted ? 'LOOPAI_API_KEY' : undefined)
  const key = (name && env[name]) || undefined
  // A header cannot carry it, and the complaint about that would quote it.
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new LoopaiError(
      'USAGE',
      `the key for ${url} holds a space, a line break or another character that no key has`,
      {
        hint: 'set it anew in the environment',
      },
    )
  }
  return {
    provider,
    model,
    url,
    key,
    maxOutputTokens: settings.max_output_tokens ?? 16_000,
    timeoutMs: (settings.timeout_seconds ?? 180) * 1000,
    prices: settings.prices,
  }
}

/** This machine's own servers need no key. */
export function checkKey({ url, key }: Endpoint): void {
  if (key !== undefined || isLoopback(url)) return
  const name = OFFICIAL_KEYS[url] ?? 'LOOPAI_API_KEY'
  throw new LoopaiError('MISSING_VALUE', `${url} needs a key`, { hint: `set ${name} in the environment` })
}
