import type { Config, GeneratorSettings } from './config.ts'
import type { JsonObject } from './json.ts'

/** What a config file, which may have been pulled, asks of this machine beyond running programs in the sandbox. */
export type Ask = { kind: 'command'; command: string[] } | { kind: 'server'; url: string }

/** Servers that nobody has to agree to: this machine's own, and those that the keys in the environment are for. */
export const OFFICIAL_URLS = {
  'openai-compatible': 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  ollama: 'http://127.0.0.1:11434/v1',
}

/** What somebody has to agree to before this generator may be used. */
export function askOfGenerator(use: string, settings: GeneratorSettings): (Ask & JsonObject) | undefined {
  if (use === 'command' && settings.command) return { kind: 'command', command: settings.command }
  if (use !== 'llm' || settings.base_url === undefined) return undefined
  const isKnown = Object.values(OFFICIAL_URLS).includes(settings.base_url) || isLoopback(settings.base_url)
  return isKnown ? undefined : { kind: 'server', url: settings.base_url }
}

/** Everything that a config asks for. */
export function asksOf({ generator }: Pick<Config, 'generator'>): (Ask & JsonObject)[] {
  return ['command', 'llm'].flatMap(use => askOfGenerator(use, generator) ?? [])
}

export function isLoopback(url: string): boolean {
  try {
    return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)
  } catch {
    return false
  }
}
