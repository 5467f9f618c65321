import type { Config, GeneratorSettings } from './config.ts'
import type { JsonObject } from './json.ts'
import { describePins, type Lock } from './requirements.ts'
import { sha256 } from './sha256.ts'

/** What a config file, which may have been pulled, asks of this machine beyond running programs in the sandbox. */
export type Ask =
  | { kind: 'command'; command: string[] }
  | { kind: 'server'; url: string }
  | { kind: 'packages'; lock: string; packages: string[] }

/** The providers' own servers. */
export const OFFICIAL_URLS = {
  'openai-compatible': 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  ollama: 'http://127.0.0.1:11434/v1',
}

/** What somebody can agree to before this generator is used. Nothing for a provider's own server. */
export function askOfGenerator(use: string, settings: GeneratorSettings): (Ask & JsonObject) | undefined {
  if (use === 'command' && settings.command) return { kind: 'command', command: settings.command }
  if (use !== 'llm' || settings.base_url === undefined) return undefined
  const isOfficial = Object.values(OFFICIAL_URLS).includes(settings.base_url)
  return isOfficial ? undefined : { kind: 'server', url: settings.base_url }
}

/** Whether somebody has to agree. A server on this machine may be used as it is, but it is sent no key. */
export function needsTrust(ask: Ask): boolean {
  return ask.kind !== 'server' || !isLoopback(ask.url)
}

/** To fetch exactly these packages and to keep them where programs may import them. */
export function askOfLock(text: string, { pins }: Lock): Ask & JsonObject {
  return { kind: 'packages', lock: `sha256:${sha256(text)}`, packages: describePins(pins) }
}

/** Everything that a config asks for. */
export function asksOf({ generator }: Pick<Config, 'generator'>): (Ask & JsonObject)[] {
  return ['command', 'llm'].flatMap(use => askOfGenerator(use, generator) ?? [])
}

/** Whether a URL leads to this machine and nowhere else. */
export function isLoopback(url: string): boolean {
  try {
    return isLoopbackHost(new URL(url).hostname)
  } catch {
    return false
  }
}

/** The same for a name or an address, with or without the brackets of IPv6. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host)
}
