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

/** Where a key of this name may be sent to; LOOPAI_API_KEY goes wherever the user has agreed to. */
const KEY_NAMES = { 'openai-compatible': 'OPENAI_API_KEY', anthropic: 'ANTHROPIC_API_KEY', ollama: undefined }

export function endpointOf(settings: Partial<GeneratorSettings>, env: NodeJS.ProcessEnv): Endpoint {
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
  const official = KEY_NAMES[provider]
  const isOfficial = url === OFFICIAL_URLS[provider]
  const key = env.LOOPAI_API_KEY || (isOfficial && official ? env[official] : undefined) || undefined
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
export function checkKey({ provider, url, key }: Endpoint): void {
  if (key !== undefined || isLoopback(url)) return
  const official = url === OFFICIAL_URLS[provider] ? KEY_NAMES[provider] : undefined
  const name = official ? `${official} or LOOPAI_API_KEY` : 'LOOPAI_API_KEY'
  throw new LoopaiError('MISSING_VALUE', `${url} needs a key`, { hint: `set ${name} in the environment` })
}
