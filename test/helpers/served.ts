import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { JsonObject } from '../../src/domain/json.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/domain/launch.ts'
import { digestOf } from '../../src/domain/version.ts'
import { createHandler } from '../../src/server/handler.ts'
import { createService, type Service, type ServiceOptions } from '../../src/server/service.ts'
import { type LoopApp, readApp } from '../../src/store/apps.ts'
import { openDataDirectory } from '../../src/store/root.ts'
import { completeVersion, stageVersion } from '../../src/store/versions.ts'
import { temporaryFolder } from './repository.ts'
import { workspaceIn } from './workspace.ts'

export const SPAM = 'spam-detector-001'

export const ANSWER_HAM = 'def execute(input_data):\n    return "ham"\n'

/** Answers `spam` for what has the word `prize` in it. */
export const FIND_PRIZE = `def execute(input_data):
    text = input_data["text"]
    return {"result": "spam" if "prize" in text else "ham", "confidence": 0.75, "reason": "the word prize"}
`

/** Does what its input says: what a bad program might do. */
export const OBEY = `import os, time
def execute(input_data):
    text = input_data["text"]
    if text == "raise":
        raise ValueError("told to")
    if text == "sleep":
        time.sleep(60)
    if text == "wait":
        time.sleep(0.1)
    if text == "exit":
        os._exit(3)
    if text == "nonsense":
        return 17
    return "ham"
`

const TEXT_IN: JsonObject = {
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
}

interface AppOptions {
  id?: string
  programs: string[]
  /** Nothing is active with `null`; the last one by default. */
  active?: number | null
  limits?: Partial<Limits>
  input?: JsonObject
  output?: JsonObject
  config?: string
}

/** A data directory with one app in it; more can be put into it. */
export async function dataDirectory(...apps: AppOptions[]): Promise<string> {
  const root = temporaryFolder()
  writeFileSync(path.join(root, 'loopai.yaml'), 'schema_version: 1\n')
  for (const app of apps) await putApp(root, app)
  return root
}

export async function putApp(
  root: string,
  { id = SPAM, programs, active = programs.length, limits, input = TEXT_IN, output, config = '' }: AppOptions,
) {
  const schemas = {
    input_schema: input,
    output_schema: output ?? { type: 'string', enum: ['spam', 'ham'] },
  }
  const folder = path.join(root, 'loop-apps', id)
  mkdirSync(path.join(folder, 'artifacts'), { recursive: true })
  const settings = { loop_app_id: id, name: id, task: 'Classify', ...schemas }
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  writeFileSync(path.join(folder, 'config.yaml'), lines.join('') + config)
  for (const program of programs) await addVersion(root, program, { id, limits, ...schemas })
  if (active !== null) await activate(await appOf(root, id), active)
}

export async function appOf(root: string, id = SPAM) {
  return readApp(await openDataDirectory({ dir: root, cwd: root, env: {} }), id)
}

/** Moves the link as a promotion does: a reader sees the old version or the new one. */
export async function activate({ paths }: LoopApp, version: number): Promise<void> {
  symlinkSync(`v${version}`, `${paths.active}.new`)
  renameSync(`${paths.active}.new`, paths.active)
}

let numbers = new Map<string, number>()

/** Puts a program there as the next version, without committing it: an execution goes by the digest alone. */
export async function addVersion(
  root: string,
  program: string,
  {
    id = SPAM,
    limits = {},
    input_schema = TEXT_IN,
    output_schema = { type: 'string', enum: ['spam', 'ham'] } as JsonObject,
  }: {
    id?: string
    limits?: Partial<Limits> | undefined
    input_schema?: JsonObject
    output_schema?: JsonObject
  } = {},
): Promise<number> {
  const app = await appOf(root, id)
  const number = (numbers.get(app.paths.directory) ?? 0) + 1
  numbers = numbers.set(app.paths.directory, number)
  const staged = await stageVersion(app, [{ path: 'program.py', content: Buffer.from(program) }])
  const behaviour = {
    runtime: 'python' as const,
    entry: 'program.py',
    input_schema,
    output_schema,
    limits: { ...DEFAULT_LIMITS, ...limits },
    isolation: 'shared' as const,
    dependencies: [],
  }
  await completeVersion(app, staged, {
    schema_version: 1,
    loop_app_id: id,
    version: number,
    parent: number > 1 ? number - 1 : null,
    digest: digestOf(staged.files, behaviour),
    files: staged.files,
    ...behaviour,
    created_at: new Date().toISOString(),
    created_by: 'Ada <ada@example.com>',
    origin: { kind: 'add', loopai: '0.0.0' },
  })
  renameSync(staged.directory, app.paths.version(number))
  return number
}

export interface Served {
  root: string
  service: Service
  /** What the service reported. */
  told: string[]
  request(path: string, init?: RequestInit): Promise<Response>
  /** Posts JSON, or text as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  execute(input: unknown, more?: object): Promise<Response>
}

/** A service over a data directory, closed with the test. */
export async function serve(root: string, options: ServiceOptions = {}): Promise<Served> {
  const workspace = workspaceIn(root)
  const service = await createService(workspace, { size: 1, ...options })
  onTestFinished(() => service.close())
  const handler = createHandler(service)
  const request = (path: string, init?: RequestInit) => handler(new Request(`http://127.0.0.1${path}`, init))
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    request(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const execute = (input: unknown, more: object = {}) =>
    post(`/loop-apps/${SPAM}/execute`, { input, ...more })
  return { root, service, told: workspace.told, request, post, execute }
}

export async function readJson(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}
