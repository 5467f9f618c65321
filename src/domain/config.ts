import { config as validateConfig, loopai as validateRoot } from './compiled/validators.js'
import type { JsonObject } from './json.ts'
import { isObject } from './json.ts'
import { DEFAULT_LIMITS, type Limits } from './launch.ts'
import { describeErrors, type Problem } from './problems.ts'
import type { Metric } from './quality.ts'
import type { PackageSource } from './requirements.ts'

/** Settings that `loopai.yaml` may give for all apps and `config.yaml` for one. */
export interface Settings {
  targets: { accuracy: number; metric: Metric; latency_ms: number }
  sampling: { strategy: 'random'; rate: number }
  privacy: { record: 'full' | 'metadata' | 'off'; redact: string[]; external: 'none' | 'redacted' | 'full' }
  limits: Limits
  isolation: 'shared' | 'request'
  packages: PackageSource
  datasets: { track: string[]; fsync: 'always' | 'interval' | 'never' }
  retention: { executions_days: number; compress_after_days: number; max_mb: number }
  generator: GeneratorSettings
  oracle: { use: string }
  canary: { first_promotion: 'manual' | 'automatic' }
  budget: { oracle_calls_per_day: number; oracle_usd_per_month: number; llm_usd_per_attempt: number }
}

export interface GeneratorSettings {
  use: string
  strategy?: string
  /** `llm`, `command`: learn first, and have the program written around what was learned. */
  hybrid?: boolean
  /** `llm`: whose protocol is spoken, with which model, where. The key is in the environment. */
  provider?: 'openai-compatible' | 'anthropic' | 'ollama'
  model?: string
  base_url?: string
  max_output_tokens?: number
  prices?: { input_usd_per_million: number; output_usd_per_million: number }
  /** `command`: what is started in a working folder. */
  command?: string[]
  /** `llm`: of one answer; `command`: of one run. */
  timeout_seconds?: number
  /** Drafts, at most, of which each is told what was wrong with the one before. */
  attempts?: number
}

/** What an app is for. */
export interface Specification {
  loop_app_id: string
  name: string
  task: string
  input_schema: JsonObject
  output_schema: JsonObject
}

export type Config = Specification & Settings

/** `loopai.yaml`. */
export type RootConfig = Partial<Settings> & {
  schema_version: 1
  git: { tags: boolean; hooks: 'run' | 'none'; message_prefix: string }
}

export const DEFAULT_SETTINGS: Settings = {
  targets: { accuracy: 0.9, metric: 'accuracy', latency_ms: 10 },
  sampling: { strategy: 'random', rate: 0.05 },
  privacy: { record: 'full', redact: [], external: 'none' },
  limits: DEFAULT_LIMITS,
  isolation: 'shared',
  packages: 'index',
  datasets: { track: ['examples'], fsync: 'interval' },
  retention: { executions_days: 30, compress_after_days: 1, max_mb: 1024 },
  generator: { use: 'learn' },
  oracle: { use: 'review' },
  canary: { first_promotion: 'manual' },
  budget: { oracle_calls_per_day: 200, oracle_usd_per_month: 20, llm_usd_per_attempt: 2 },
}

/** Keys of the concept document that are derived here: the `active` link is the only truth about what is active. */
export const DERIVED_KEYS = ['current_version', 'endpoint']

export function configProblems(value: unknown): Problem[] {
  return validateConfig(withoutDerived(value)) ? [] : describeErrors(validateConfig.errors)
}

export function rootConfigProblems(value: unknown): Problem[] {
  return validateRoot(value) ? [] : describeErrors(validateRoot.errors)
}

/** The app's settings over the root's over the defaults. Both values have been checked for problems before. */
export function completeConfig(value: unknown, root: Partial<Settings> = {}): Config {
  const own = withoutDerived(value) as Specification & Partial<Settings>
  const settings = Object.fromEntries(
    Object.entries(DEFAULT_SETTINGS).map(([key, preset]) => {
      const given = [root[key as keyof Settings], own[key as keyof Settings]]
      if (!isObject(preset)) return [key, given[1] ?? given[0] ?? preset]
      return [key, Object.assign({}, preset, ...given.filter(isObject))]
    }),
  ) as unknown as Settings
  return { ...own, name: own.name ?? own.loop_app_id, ...settings }
}

export function completeRootConfig(value: unknown): RootConfig {
  const own = value as Omit<RootConfig, 'git'> & { git?: Partial<RootConfig['git']> }
  return { ...own, git: { tags: false, hooks: 'run', message_prefix: '', ...own.git } }
}

function withoutDerived(value: unknown): unknown {
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !DERIVED_KEYS.includes(key)))
}
