import type { Config } from '../domain/config.ts'
import { LoopaiError } from '../domain/errors.ts'
import { digestOf, type Manifest, type Origin, shortDigest } from '../domain/version.ts'
import { GENERATORS } from '../generators/index.ts'
import { LOOPAI_VERSION } from '../package.ts'
import { type LoopApp, readConfig } from '../store/apps.ts'
import { type ExampleFile, readExamples } from '../store/examples.ts'
import { resolveVersion, stageVersion } from '../store/versions.ts'
import { openAddress } from './open-app.ts'
import type { Workspace } from './workspace.ts'

export interface Reproduced {
  loop_app_id: string
  version: number
  digest: string
  /** Of what was generated now; null when it could not be. */
  reproduced_digest: string | null
  outcome: 'pass' | 'fail' | 'inconclusive'
  /** What is not as it was when the version was made. */
  differences: string[]
}

/** Generates a version again from the examples, the seed and the strategy that its manifest names, and compares digests. Keeps nothing. */
export async function reproduce(workspace: Workspace, address: string): Promise<Reproduced> {
  const { data, app, address: parsed } = await openAddress(workspace, address)
  const { number, manifest } = await resolveVersion(app, parsed.version ?? { by: 'name', name: 'active' })
  const { origin, digest } = manifest
  if (origin.generator !== 'learn') throw notReproducible(`v${number} of ${app.id}`, origin)
  const [config, present] = await Promise.all([readConfig(data, app), readExamples(app)])
  const files = (origin.examples ?? []).map(({ path, sha256, rows }) => ({
    wanted: { path, rows },
    found: present.find(file => file.path === path && file.sha256 === sha256),
  }))
  const moved = files
    .filter(({ found }) => !found)
    .map(({ wanted }) => `${wanted.path} (${wanted.rows} rows) has changed or is missing`)
  const differences = [
    ...moved,
    ...(origin.loopai === LOOPAI_VERSION
      ? []
      : [`it was made by loopai ${origin.loopai}, this is ${LOOPAI_VERSION}`]),
  ]
  const result = { loop_app_id: app.id, version: number, digest, differences }
  if (moved.length > 0) return { ...result, reproduced_digest: null, outcome: 'inconclusive' }

  const again = await generateAgain(workspace, {
    app,
    config,
    manifest,
    files: files.map(file => file.found!),
  })
  if (again === digest) return { ...result, reproduced_digest: again, outcome: 'pass' }
  return { ...result, reproduced_digest: again, outcome: differences.length > 0 ? 'inconclusive' : 'fail' }
}

function notReproducible(name: string, { kind, generator }: Origin): LoopaiError {
  const writer = generator ?? (kind === 'add' ? 'a person' : 'nobody known')
  return new LoopaiError(
    'UNSUPPORTED',
    `${name} was written by ${writer}: only what was learned can be made again`,
    {
      hint: 'its files are all there is to it, and its digest proves them',
    },
  )
}

interface Ingredients {
  app: LoopApp
  config: Config
  manifest: Manifest
  files: ExampleFile[]
}

async function generateAgain(
  workspace: Workspace,
  { app, config, manifest, files }: Ingredients,
): Promise<string> {
  const { origin, input_schema, output_schema } = manifest
  const { default: generator } = await GENERATORS.learn()
  const draft = await generator.generate(
    {
      app: {
        id: app.id,
        name: origin.told?.name ?? config.name,
        task: origin.told?.task ?? config.task,
        input_schema,
        output_schema,
      },
      examples: files.flatMap(file => file.rows),
      seed: origin.seed ?? 1,
      privacy: origin.told?.privacy ?? config.privacy.record,
      metric: origin.told?.metric ?? config.targets.metric,
      ...(origin.strategy !== undefined && { strategy: origin.strategy }),
      report: workspace.progress,
    },
    workspace.signal,
  )
  const staged = await stageVersion(app, draft.files)
  await staged.remove()
  return digestOf(staged.files, { ...manifest, runtime: draft.runtime, entry: draft.entry })
}

/** One sentence. */
export function describeReproduction({
  outcome,
  version,
  digest,
  reproduced_digest: again,
}: Reproduced): string {
  if (outcome === 'pass') return `v${version} is reproduced: ${shortDigest(digest)}`
  if (again === null) return `v${version} cannot be made again: its examples are not as they were`
  return `v${version} is ${shortDigest(digest)}, and what was generated now is ${shortDigest(again)}`
}
